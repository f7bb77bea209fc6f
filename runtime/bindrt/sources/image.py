"""Still images as Pillow images, whichever library decodes them, after a look at what decoding will cost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import PIL.Image

from bindrt.errors import LimitError, SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources import netpbm
from bindrt.sources.formats import PICTURE, sniff, unfit
from bindrt.sources.jpegfile import check_scans
from bindrt.sources.jxlfile import jxl_size
from bindrt.sources.opening import IF_CUT, Opened, decoding
from bindrt.sources.picture_readers import READERS, quiet_pillow
from bindrt.sources.pixel_limits import check_memory, check_pixels, check_work
from bindrt.sources.pngfile import check_chunks, check_rows, png_header

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
        Error: it needs a library that is not installed.
        SourceError: the file is of another format, damaged or truncated.
        LimitError: it has more than ``limits.max_pixels``, or decoding it takes more than ``limits`` allow.
    """
    file_format = sniff(opened)
    if file_format.family == "floats":
        raise SourceError(
            opened.name,
            f"{file_format.name} holds numbers, not {wanted}",
            "pass it as depth or thermal, or map its tones to 8 bits",
        )
    if file_format.family != "image":
        raise unfit(opened, file_format, wanted, PICTURE)
    if file_format.name == "PNM":
        with decoding(opened.name, "PNM image", IF_CUT):
            picture = netpbm.as_picture(netpbm.read_counts(opened, limits))
        yield picture
        return
    with opened.binary() as stream:
        with decoding(opened.name, f"{file_format.title} image", IF_CUT):
            _check_before(file_format.name, stream, opened, limits)
            image = _load(file_format.name, stream, opened.name, limits)
            _check_after(file_format.name, stream, opened, image)
        yield image


def read_header(fmt: str, stream: BinaryIO, opened: Opened, limits: Limits) -> PIL.Image.Image:
    """A picture with its metadata, after all checks that come before its pixels are decoded.

    Raises:
        Exception: whatever a decoder raises; see :func:`bindrt.sources.opening.decoding`.
        SourceError, LimitError: as :func:`open_picture`.
    """
    _check_before(fmt, stream, opened, limits)
    return _checked(fmt, stream, opened.name, limits)


def _check_before(fmt: str, stream: BinaryIO, opened: Opened, limits: Limits) -> None:
    """What must be known before the decoder sees the file."""
    if fmt == "PNG":
        check_chunks(stream, opened.name)
    elif fmt == "JPEG":
        check_scans(stream.read(min(opened.size, limits.max_bytes)), opened.name, limits)
    elif fmt == "JXL":
        size = jxl_size(opened)
        if size is None:
            raise SourceError(opened.name, "the header of the JPEG XL image is damaged", IF_CUT)
        check_pixels(*size, name=opened.name, limits=limits)
        check_memory(fmt, *size, name=opened.name, limits=limits)
    stream.seek(0)  # looking may have moved it


def _check_after(fmt: str, stream: BinaryIO, opened: Opened, image: PIL.Image.Image) -> None:
    """Pillow takes a PNG whose data end early; its missing rows are zeros, the last one among them."""
    header = png_header(opened.head) if fmt == "PNG" else None
    if header is None:
        return
    last = image.crop((0, image.height - 1, image.width, image.height))
    if header.interlaced or not np.asarray(last).any():
        check_rows(stream, header, opened.name)


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
    image = _checked(fmt, stream, name, limits)
    image.load()
    return image


def _checked(fmt: str, stream: Any, name: str, limits: Limits) -> PIL.Image.Image:
    quiet_pillow()
    image: PIL.Image.Image = READERS[fmt](stream)
    check_pixels(*image.size, name=name, limits=limits)
    check_memory(fmt, *image.size, name=name, limits=limits)
    check_work(image, name, limits)
    return image
