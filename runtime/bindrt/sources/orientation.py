"""Which way up a picture was taken, as its EXIF or XMP data has it: 1 to 8, where 1 is upright.

Read here, since Pillow warns of damaged EXIF data on stderr, and names no file.
"""

from __future__ import annotations

import re
import struct

import PIL.Image

from bindrt.arrays import Array

_ORIENTATION = 0x0112
_ENTRY = 12  # bytes of an entry in a directory of tags
_XMP = re.compile(rb"""tiff:Orientation(?:=["']|>)([1-8])""")
_T = PIL.Image.Transpose
#: What brings a picture of each orientation upright.
_TURNS = {
    2: _T.FLIP_LEFT_RIGHT,
    3: _T.ROTATE_180,
    4: _T.FLIP_TOP_BOTTOM,
    5: _T.TRANSPOSE,
    6: _T.ROTATE_270,
    7: _T.TRANSVERSE,
    8: _T.ROTATE_90,
}
#: After rows and columns have changed places, for the orientations from 5 on: steps down and across.
_FLIPS = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}


def find_orientation(exif: bytes, xmp: bytes) -> int:
    """The orientation in EXIF data, else in XMP data; 1 if there is none, or the data are damaged."""
    found = _in_exif(exif.removeprefix(b"Exif\0\0"))
    if found == 0 and (match := _XMP.search(xmp)):
        found = int(match[1])
    return found or 1


def picture_orientation(picture: PIL.Image.Image) -> int:
    """The orientation of a decoded picture. Pillow itself brings a TIFF upright, as libheif does a HEIC."""
    exif = picture.info.get("exif", b"")
    xmp = picture.info.get("xmp", picture.info.get("XML:com.adobe.xmp", b""))
    return find_orientation(_as_bytes(exif), _as_bytes(xmp))


def upright(picture: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """The picture, turned from its orientation."""
    return picture.transpose(_TURNS[orientation]) if orientation in _TURNS else picture


def upright_array(values: Array, orientation: int) -> Array:
    """The same for a map ``[H, W]``; a view."""
    if orientation >= 5:  # rows and columns change places
        values = values.T
    down, across = _FLIPS.get(orientation, (1, 1))
    return values[::down, ::across]


def _in_exif(tags: bytes) -> int:
    """The orientation in the first directory of tags, which are laid out as in a TIFF; 0 if there is none."""
    order = {b"II": "<", b"MM": ">"}.get(tags[:2])
    if order is None or len(tags) < 8:
        return 0
    start = int(struct.unpack_from(order + "I", tags, 4)[0])
    if start + 2 > len(tags):
        return 0
    count = struct.unpack_from(order + "H", tags, start)[0]
    for at in range(start + 2, min(start + 2 + count * _ENTRY, len(tags) - _ENTRY + 1), _ENTRY):
        tag, kind, values = struct.unpack_from(order + "HHI", tags, at)
        if tag == _ORIENTATION and values == 1 and kind in (3, 4):
            value = int(struct.unpack_from(order + ("H" if kind == 3 else "I"), tags, at + 8)[0])
            return value if 1 <= value <= 8 else 0
    return 0


def _as_bytes(data: object) -> bytes:
    if isinstance(data, str):
        return data.encode("utf-8", "replace")
    return data if isinstance(data, bytes) else b""
