"""Pillow images that a caller hands in."""

from __future__ import annotations

import PIL.Image

from bindrt.limits import Limits
from bindrt.sources.opening import IF_CUT, decoding
from bindrt.sources.pixel_limits import check_pixels
from bindrt.sources.streams import alone


def loaded_picture(picture: PIL.Image.Image, name: str, limits: Limits) -> PIL.Image.Image:
    """The image with its pixels decoded; where several threads have it, one of them decodes it.

    Raises:
        SourceError: its file is damaged or closed.
        LimitError: it has more than ``limits.max_pixels``.
    """
    check_pixels(*picture.size, name=name, limits=limits)
    with alone(picture), decoding(name, "image", IF_CUT):
        picture.load()
    return picture
