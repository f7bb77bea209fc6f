"""What a sensor gave just now, for people to look at."""

from __future__ import annotations

from typing import Any

from bindrt.errors import InputError
from bindrt.modalities.audio import Audio
from bindrt.modalities.depth import Depth
from bindrt.modalities.image import Image
from bindrt.modalities.imu import Imu
from bindrt.modalities.thermal import Thermal
from bindrt.watching.previews.motion import MotionPreview
from bindrt.watching.previews.picture import PicturePreview
from bindrt.watching.previews.preview import Preview
from bindrt.watching.previews.sound import SoundPreview


def preview_of(item: Any) -> type[Preview]:
    """What shows an item.

    Raises:
        InputError: nothing does.
    """
    if isinstance(item, (Image, Depth, Thermal)) or callable(item):
        return PicturePreview
    if isinstance(item, Audio):
        return SoundPreview
    if isinstance(item, Imu):
        return MotionPreview
    raise InputError(
        type(item).__name__,
        "it cannot be shown",
        "give bindrt.Image, Depth, Thermal, Audio or Imu, or a function that makes one of the first three",
    )


__all__ = ["Preview", "preview_of"]
