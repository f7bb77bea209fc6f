"""The first blocks of a Matroska file: how many packets they hold. One block may hold up to 256."""

from __future__ import annotations

from typing import BinaryIO

from bindrt.sources.claims_mp4 import Claim

_SEGMENT, _CLUSTER, _GROUP = 0x18538067, 0x1F43B675, 0xA0
_BLOCKS = (0xA3, 0xA1)
_FIRST = 8 << 20  # bytes that are looked through; FFmpeg looks through 5 MB at most
_FREE, _LEAST = 10_000, 16  # packets at the start, and bytes each has on average beyond them
_LACED = 0x06  # in the flags of a block
_HEAD = 24  # bytes that hold an element's number and length, and a block's head


def look(stream: BinaryIO, size: int, most: int) -> Claim:
    """Counts the packets of the first megabytes.

    Args:
        size: of the file, in bytes.
        most: packets beyond which there is no need to count on.
    """
    claim, at, end = Claim(), 0, min(size, _FIRST)
    while at < end and claim.packets <= most:
        stream.seek(at)
        head = stream.read(_HEAD)
        number, width = _coded(head, 0, keep_mark=True)
        length, more = _coded(head, width, keep_mark=False)
        if not width or not more:
            return claim
        at += width + more
        if number in (_SEGMENT, _CLUSTER, _GROUP):
            continue
        if number in _BLOCKS:
            claim.packets += _packets(head[width + more :])
            if claim.packets > _FREE + at // _LEAST:
                claim.wrong = f"{claim.packets} packets in its first {at} bytes"
                return claim
        at += length
    return claim


def _packets(block: bytes) -> int:
    """How many packets a block holds, from its first bytes."""
    _, width = _coded(block, 0, keep_mark=False)
    flags, laced = block[width + 2 : width + 3], block[width + 3 : width + 4]
    return laced[0] + 1 if flags and laced and flags[0] & _LACED else 1


def _coded(data: bytes, at: int, keep_mark: bool) -> tuple[int, int]:
    """A number whose first set bit tells how many bytes it takes; and these. Nothing, 0 if it is none."""
    if at >= len(data) or data[at] == 0:
        return 0, 0
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big")
    return value if keep_mark else value & ((1 << 7 * width) - 1), width
