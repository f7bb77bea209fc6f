"""The size of a JPEG XL picture from its header: its decoder makes all pixels before it tells the size."""

from __future__ import annotations

from dataclasses import dataclass

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width to height; 0: none
_SIZE_BITS = (9, 13, 18, 30)


@dataclass
class _Bits:
    """Numbers of some bits each, the lowest bit of a byte first."""

    value: int

    def take(self, count: int) -> int:
        number = self.value & ((1 << count) - 1)
        self.value >>= count
        return number


def jxl_size(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels from the first bytes of the file; None if they do not hold them.

    >>> jxl_size(bytes.fromhex("ff0a 7f 00"))
    (256, 256)
    """
    stream = _codestream(head)
    if not stream.startswith(b"\xff\n") or len(stream) < 11:
        stream = stream + bytes(9) if stream.startswith(b"\xff\n") and len(stream) >= 4 else b""
    if not stream:
        return None
    bits = _Bits(int.from_bytes(stream[2:11], "little"))
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


def _codestream(head: bytes) -> bytes:
    """The beginning of the coded picture: the file itself, or the first part in a container of boxes."""
    if not head.startswith(_CONTAINER):
        return head
    at = 0
    while at + 8 <= len(head):
        length, kind, start = int.from_bytes(head[at : at + 4], "big"), head[at + 4 : at + 8], at + 8
        if length == 1:  # the length stands behind, in eight bytes
            length, start = int.from_bytes(head[start : start + 8], "big"), start + 8
        if kind == b"jxlc":
            return head[start:]
        if kind == b"jxlp":  # a part, behind its number
            return head[start + 4 :]
        if length < 8:
            break
        at += length
    return b""
