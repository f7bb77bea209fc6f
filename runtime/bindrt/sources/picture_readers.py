"""The decoders of pictures, by the name that a format has in ``formats.py``: each makes a Pillow image.

They are called directly: ``Image.open`` tries every plugin, and applies one global limit to all.
"""

from __future__ import annotations

import ctypes
import logging
import warnings
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, BinaryIO

from PIL import _imaging

from bindrt.errors import Error
from bindrt.sources.optional import optional

Reader = Callable[[BinaryIO], Any]


def _tiff(stream: BinaryIO) -> Any:
    from PIL import TiffImagePlugin

    _quiet_libtiff()
    return TiffImagePlugin.TiffImageFile(stream)


@lru_cache(maxsize=1)
def _quiet_libtiff() -> None:
    """Libtiff writes what it finds wrong to stderr, without the item's name. What is wrong is an error here.

    Its handlers are of the whole process. Where Pillow has no libtiff of its own to ask, it keeps talking.
    So would Pillow itself, of damaged tags, where the program has no logging.
    """
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    try:
        library = ctypes.CDLL(_imaging.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            handler = getattr(library, name)
            handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            handler(None)
    except (OSError, AttributeError):  # AttributeError: no such function, or Pillow is built in
        return


@lru_cache(maxsize=1)
def quiet_pillow() -> None:
    """Pillow warns of damaged metadata on stderr, without the item's name. They change no pixel.

    The filter is of the whole process, and of Pillow's own modules only.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def _avif(stream: BinaryIO) -> Any:
    try:
        from PIL import AvifImagePlugin
    except ImportError as error:
        raise Error("AVIF", "this Pillow does not read it", "pip install 'pillow>=11.3'") from error
    return AvifImagePlugin.AvifImageFile(stream)


def _pillows(plugin: str, reader: str) -> Reader:
    """A reader of Pillow's that is imported when a file asks for it."""

    def read(stream: BinaryIO) -> Any:
        return getattr(import_module(f"PIL.{plugin}"), reader)(stream)

    return read


def _heif(stream: BinaryIO) -> Any:
    plugin = optional("pillow_heif", "pillow-heif", "HEIC and HEIF pictures")
    return plugin.HeifImageFile(stream)


def _jxl(stream: BinaryIO) -> Any:
    plugin = optional("pillow_jxl.JpegXLImagePlugin", "pillow-jxl-plugin", "JPEG XL pictures")
    try:
        return plugin.JXLImageFile(stream)
    except BaseException as error:  # a panic of the decoder's is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise ValueError("the decoder finds it damaged") from error


def _qoi(stream: BinaryIO) -> Any:
    """Pillow decodes QOI in Python, a microsecond a pixel; FFmpeg takes a fiftieth of that."""
    from bindrt.sources.qoifile import QoiImage

    return QoiImage(stream)


READERS: dict[str, Reader] = {
    "JPEG": _pillows("JpegImagePlugin", "JpegImageFile"),
    "PNG": _pillows("PngImagePlugin", "PngImageFile"),
    "WEBP": _pillows("WebPImagePlugin", "WebPImageFile"),
    "BMP": _pillows("BmpImagePlugin", "BmpImageFile"),
    "TIFF": _tiff,
    "GIF": _pillows("GifImagePlugin", "GifImageFile"),
    "AVIF": _avif,
    "HEIF": _heif,
    "JXL": _jxl,
    "JPEG2000": _pillows("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "QOI": _qoi,
    "PCX": _pillows("PcxImagePlugin", "PcxImageFile"),
    "SGI": _pillows("SgiImagePlugin", "SgiImageFile"),
    "DDS": _pillows("DdsImagePlugin", "DdsImageFile"),
    "PSD": _pillows("PsdImagePlugin", "PsdImageFile"),
    "ICO": _pillows("IcoImagePlugin", "IcoImageFile"),
}
