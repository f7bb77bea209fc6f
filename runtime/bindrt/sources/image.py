"""Still images, decoded by Pillow: JPEG, PNG, WebP, BMP, TIFF, GIF."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import PIL.Image
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from bindrt.errors import LimitError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.formats import PICTURE, sniff, unfit
from bindrt.sources.opening import Opened, decoding

# These classes are called directly: Image.open tries every plugin, and applies one global limit to all.
_READERS: dict[str, Any] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "GIF": GifImagePlugin.GifImageFile,
}
_pillow_limit = threading.Lock()


@contextlib.contextmanager
def open_picture(
    opened: Opened, limits: Limits = DEFAULT_LIMITS, wanted: str = "an image"
) -> Iterator[PIL.Image.Image]:
    """A Pillow image with its pixels decoded; of an animation the first frame.

    Its size, as the header has it, is checked before any pixel is decoded.

    Args:
        wanted: what the file should be, for the error of another format.

    Raises:
        SourceError: the file is of another format, damaged or truncated.
        LimitError: it has more than ``limits.max_pixels``.
    """
    file_format = sniff(opened)
    if file_format.family != "image":
        raise unfit(opened, file_format, wanted, PICTURE)
    with opened.binary() as stream:
        with decoding(opened.name, f"{file_format.name} image", "is it complete?"):
            image = _load(file_format.name, stream, opened.name, limits)
        yield image


def _load(fmt: str, stream: Any, name: str, limits: Limits) -> PIL.Image.Image:
    try:
        return _read(fmt, stream, name, limits)
    except PIL.Image.DecompressionBombError as error:
        threshold = PIL.Image.MAX_IMAGE_PIXELS
        if threshold is None or limits.max_pixels <= threshold:
            raise LimitError(name, str(error), "raise Limits.max_pixels") from error
    # Some plugins check Pillow's own limit again. It is global, so one thread at a time raises it.
    with _pillow_limit:
        before = PIL.Image.MAX_IMAGE_PIXELS
        PIL.Image.MAX_IMAGE_PIXELS = limits.max_pixels
        try:
            stream.seek(0)
            return _read(fmt, stream, name, limits)
        finally:
            PIL.Image.MAX_IMAGE_PIXELS = before


def _read(fmt: str, stream: Any, name: str, limits: Limits) -> PIL.Image.Image:
    image: PIL.Image.Image = _READERS[fmt](stream)
    check_pixels(*image.size, name=name, limits=limits)
    image.load()
    return image


def check_pixels(width: int, height: int, name: str, limits: Limits) -> None:
    """Raises LimitError for more pixels than ``limits.max_pixels``. Width and height are in pixels."""
    if width * height > limits.max_pixels:
        raise LimitError(
            name,
            f"{width} x {height} pixels are more than the limit of {limits.max_pixels}",
            "raise Limits.max_pixels if this is expected",
        )
