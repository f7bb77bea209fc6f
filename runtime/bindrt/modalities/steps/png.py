"""PNG files without Pillow's decoder, where libdeflate is installed: it unpacks them in half of the time.

Pillow reads the header and the metadata, so what is wrong with them is the same error. The pixels are the
same too: a file that is unusual or damaged is left to Pillow.
"""

from __future__ import annotations

import importlib
import io
from dataclasses import dataclass
from functools import lru_cache

from bindrt import _core
from bindrt.arrays import Array
from bindrt.limits import Limits
from bindrt.modalities.modality import Views, one_view
from bindrt.modalities.steps import direct
from bindrt.modalities.steps.exif import exif_notes
from bindrt.modalities.steps.output_rows import Reserve
from bindrt.sources.formats import sniff
from bindrt.sources.image import read_header
from bindrt.sources.opening import IF_CUT, Opened, decoding
from bindrt.sources.orientation import picture_orientation

_WHAT = "PNG image"


@dataclass(frozen=True)
class _File:
    data: bytes
    orientation: int
    reader: _core.PngReader


def image_input(opened: Opened, exif: bool, limits: Limits, reserve: Reserve | None = None) -> Views | None:
    """The input of a sound PNG; None for any other file, and for grey of 16 bits.

    So it is for a picture that must be turned, which is one with an orientation if ``exif`` is true.

    Raises:
        SourceError: its header or its metadata are damaged.
        LimitError: it has more pixels than ``limits`` allow.
    """
    file = _read(opened, limits)
    if file is None or (exif and file.orientation != 1):
        return None
    array = file.reader.input(file.data, limits.max_pixels, out=direct.row(file.data, reserve))
    return None if array is None else one_view(array, exif_notes(file.orientation, False))


def grey_values(opened: Opened, limits: Limits) -> tuple[Array, int] | None:
    """The values ``[H, W]`` of a sound PNG that is grey, uint8 or uint16, and its EXIF orientation.

    None for any other file. The errors are those of :func:`image_input`.
    """
    file = _read(opened, limits)
    values = None if file is None else file.reader.grey(file.data, limits.max_pixels)
    return None if file is None or values is None else (values, file.orientation)


def _read(opened: Opened, limits: Limits) -> _File | None:
    """The file, if all is well with what comes before its pixels."""
    if sniff(opened).name != "PNG":
        return None
    reader = _reader()
    data = None if reader is None else direct.whole(opened, _WHAT)
    if reader is None or data is None:
        return None
    with decoding(opened.name, _WHAT, IF_CUT):
        picture = read_header("PNG", io.BytesIO(data), opened, limits)
    return _File(data, picture_orientation(picture), reader)


@lru_cache(maxsize=1)
def _reader() -> _core.PngReader | None:
    """None where the package ``deflate`` is not installed, or keeps its libdeflate for itself."""
    try:
        reader = _core.PngReader(str(importlib.import_module("deflate._deflate").__file__))
    except (ImportError, ValueError):
        return None
    reader.serve()
    return reader


def serve() -> None:
    """Names the library to csrc/prepare, if it is there."""
    _reader()
