"""What the first bytes of a picture say of it. Nothing is decoded, and nothing of a library runs."""

from __future__ import annotations

from typing import TypedDict

from bindrt.sources.formats import sniff
from bindrt.sources.jpegfile import segments
from bindrt.sources.pngfile import png_header

#: Markers of JPEG's frames: all of 0xC0 to 0xCF but tables (C4), extensions (C8) and arithmetic coding (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HEAD = 64


class PictureHead(TypedDict):
    """Size, format and bits of a pixel, all channels together."""

    width: int
    height: int
    format: str
    bit_depth: int


def picture_head(data: bytes) -> PictureHead | None:
    """What the header of a JPEG, PNG, GIF or WebP file says; None for any other, or if it is cut.

    >>> picture_head(b"GIF89a" + bytes([3, 0, 2, 0]) + bytes(10))
    {'width': 3, 'height': 2, 'format': 'gif', 'bit_depth': 8}
    """
    head = data[:_HEAD]
    name = sniff(head).name
    found: tuple[int, int, int] | None = None
    if name == "JPEG":
        found = _jpeg(data)
    elif name == "PNG" and (png := png_header(head)) is not None:
        found = png.width, png.height, png.samples * png.bits
    elif name == "GIF" and len(head) >= 10:
        found = _little(head, 6), _little(head, 8), 8
    elif name == "WEBP" and len(head) >= 30:
        found = _webp(head)
    if found is None:
        return None
    width, height, bits = found
    return {"width": width, "height": height, "format": name.lower(), "bit_depth": bits}


def _jpeg(data: bytes) -> tuple[int, int, int] | None:
    for marker, start, end in segments(data):
        if marker in _FRAMES and end >= start + 6:
            bits, samples = data[start], data[start + 5]
            height = int.from_bytes(data[start + 1 : start + 3], "big")
            return int.from_bytes(data[start + 3 : start + 5], "big"), height, bits * samples
    return None


def _webp(head: bytes) -> tuple[int, int, int] | None:
    """A WebP of one of its three kinds: lossy, lossless, and with a header before either."""
    kind = head[12:16]
    if kind == b"VP8 ":
        return _little(head, 26) & 0x3FFF, _little(head, 28) & 0x3FFF, 24
    if kind == b"VP8L":
        bits = _little(head, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 32 if bits >> 28 & 1 else 24
    if kind == b"VP8X":
        return _little(head, 24, 3) + 1, _little(head, 27, 3) + 1, 32 if head[20] & 0x10 else 24
    return None


def _little(data: bytes, at: int, size: int = 2) -> int:
    return int.from_bytes(data[at : at + size], "little")
