"""JPEG files straight to the vision encoder's input: the common case, without an image in memory."""

from __future__ import annotations

from functools import lru_cache

import PIL.Image
from PIL import _imaging

from bindrt import _core
from bindrt.limits import Limits
from bindrt.modalities.modality import Views, one_view
from bindrt.modalities.steps import direct
from bindrt.modalities.steps.exif import exif_notes
from bindrt.modalities.steps.output_rows import Reserve
from bindrt.sources.formats import sniff
from bindrt.sources.jpegfile import check_scans, orientation
from bindrt.sources.opening import Opened


def image_input(opened: Opened, exif: bool, limits: Limits, reserve: Reserve | None = None) -> Views | None:
    """The input of a sound JPEG; None for any other file, which then goes through Pillow.

    So does a picture that must be turned, which is one with an orientation if ``exif`` is true.

    The pixels are Pillow's, since the decoder is the library that Pillow has loaded. Where that is not
    libjpeg-turbo with the usual interface, this gives None for every file.
    """
    reader = _reader()
    if reader is None or sniff(opened).name != "JPEG":
        return None
    data = direct.whole(opened, "JPEG image")
    if data is None:
        return None
    check_scans(data, opened.name, limits)
    turned = orientation(data)
    if exif and turned != 1:
        return None
    array = reader.input(data, limits.max_pixels, out=direct.row(data, reserve))
    return None if array is None else one_view(array, exif_notes(turned, False))


def would_read(opened: Opened, picture: PIL.Image.Image) -> bool:
    """Whether :func:`image_input` reads such a picture if its file is sound.

    Args:
        picture: what Pillow made of the file.
    """
    plain = picture.format == "JPEG" and picture.mode in ("L", "RGB")
    return plain and opened.size <= direct.MOST_BYTES and _reader() is not None


@lru_cache(maxsize=1)
def _reader() -> _core.JpegReader | None:
    try:
        reader = _core.JpegReader(_imaging.__file__)
    except (ValueError, AttributeError):  # AttributeError: Pillow is built into the interpreter
        return None
    reader.serve()
    return reader


def serve() -> None:
    """Names the library to csrc/prepare, if it is there."""
    _reader()
