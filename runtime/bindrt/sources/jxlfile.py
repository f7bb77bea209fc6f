"""The size of a JPEG XL picture from its header: its decoder makes all pixels before it tells the size."""

from __future__ import annotations

from dataclasses import dataclass

from bindrt.sources.beginning import read_at
from bindrt.sources.opening import Opened

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width to height; 0: none
_SIZE_BITS = (9, 13, 18, 30)
_WANTED = 11  # bytes that hold the longest size, behind the two that begin the picture
_MOST_BOXES = 1000


@dataclass
class _Bits:
    """Numbers of some bits each, the lowest bit of a byte first."""

    value: int

    def take(self, count: int) -> int:
        number = self.value & ((1 << count) - 1)
        self.value >>= count
        return number


def jxl_size(file: Opened | bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a JPEG XL picture; None if it does not hold them.

    >>> jxl_size(bytes.fromhex("ff0a 7f 00"))
    (256, 256)
    """
    stream = _codestream(file)
    if not stream.startswith(b"\xff\n") or len(stream) < 4:
        return None
    bits = _Bits(int.from_bytes(stream[2:], "little"))
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, small), height
    across, down = _RATIOS[ratio]
    return height * across // down, height


def _side(bits: _Bits, small: int) -> int:
    if small:
        return 8 * (1 + bits.take(5))
    return 1 + bits.take(_SIZE_BITS[bits.take(2)])


def _codestream(file: Opened | bytes) -> bytes:
    """The first bytes of the coded picture: those of the file, or of its part in a container of boxes."""
    if read_at(file, 0, len(_CONTAINER)) != _CONTAINER:
        return read_at(file, 0, _WANTED)
    at = 0
    for _ in range(_MOST_BOXES):
        head = read_at(file, at, 16)
        length, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:  # the length stands behind, in eight bytes
            length, header = int.from_bytes(head[8:], "big"), 16
        if kind == b"jxlc":
            return read_at(file, at + header, _WANTED)
        if kind == b"jxlp":  # a part, behind its number
            return read_at(file, at + header + 4, _WANTED)
        if length < header:
            break
        at += length
    return b""
