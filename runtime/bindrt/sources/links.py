"""Where the recordings of a file begin that has several, one after the other: chained OGG, joined FLAC."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from bindrt.errors import SourceError
from bindrt.sources.formats import Format
from bindrt.sources.opening import Opened, decoding

_WINDOW = 1 << 18
_MOST_LINKS = 10_000
_PAGE = 27  # bytes of a page's head before its table of segments
_FLAC = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")  # with STREAMINFO, which always comes first


@dataclass
class Links:
    """The recordings of a file.

    Attributes:
        starts: where each begins, in bytes.
        gaps: how many pages are damaged or cut, and how often some are missing.
    """

    starts: list[int] = field(default_factory=lambda: [0])
    gaps: int = 0

    def ranges(self, size: int) -> list[range]:
        """The bytes of each, in a file of this size."""
        return [range(a, b) for a, b in zip(self.starts, [*self.starts[1:], size], strict=True)]


def links(opened: Opened, file_format: Format) -> Links:
    """The recordings of an OGG or FLAC file; a file of another format is one.

    Raises:
        SourceError: there are more than ten thousand.
    """
    find = {"OGG": _ogg, "FLAC": _flac}.get(file_format.name)
    if find is None:
        return Links()
    with opened.binary() as stream, decoding(opened.name, f"{file_format.title} file"):
        found = find(stream, opened.size)
    if len(found.starts) > _MOST_LINKS:
        raise SourceError(
            opened.name, f"it holds {len(found.starts)} recordings one after the other", "split it"
        )
    return found


def _ogg(stream: BinaryIO, size: int) -> Links:
    """A link begins with pages that begin streams, after a page that does not."""
    found, at, base, data = Links(), 0, 0, b""
    numbers: dict[bytes, int] = {}  # of the last page of each stream
    in_front, lost_sync = True, False
    while len(found.starts) <= _MOST_LINKS:
        if at - base + _PAGE + 255 > len(data):
            stream.seek(at)
            base, data = at, stream.read(_WINDOW)
        here = at - base
        head = data[here : here + _PAGE]
        if len(head) < _PAGE:
            return found
        if head[:4] != b"OggS":
            found.gaps += not lost_sync
            lost_sync = True
            following = data.find(b"OggS", here + 1)
            at = base + (following if following >= 0 else max(len(data) - 3, here + 1))
            continue
        lost_sync = False
        begins, serial, number = bool(head[5] & 2), head[14:18], int.from_bytes(head[18:22], "little")
        if begins and not in_front:
            found.starts.append(at)
            numbers.clear()
        elif serial in numbers and number != numbers[serial] + 1:
            found.gaps += 1
        in_front, numbers[serial] = begins, number
        length = _PAGE + head[26] + sum(data[here + _PAGE : here + _PAGE + head[26]])
        if here + length > len(data):
            stream.seek(at)
            base, data, here = at, stream.read(_WINDOW), 0
        page = data[here : here + length]
        if at + length <= size and _checksum(page) != int.from_bytes(page[22:26], "little"):
            lost_sync = True  # its length may be wrong as well
            at += 4
            found.gaps += 1
            continue
        at += length
        found.gaps += at > size  # the last page is cut
    return found


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _checksum(page: bytes) -> int:
    """The page's CRC-32 as OGG has it: from 0, the highest bit first, its own field being zero.

    ``zlib`` computes it with the lowest bit first and from all bits set, so the bits are turned round.
    """
    mirrored = (page[:22] + bytes(4) + page[26:]).translate(_MIRRORED)
    found = zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{found:032b}"[::-1], 2)


def _flac(stream: BinaryIO, size: int) -> Links:
    """``fLaC`` and the first bytes of what must follow; a frame is hardly ever like that."""
    found, at, tail = Links(), 0, b""
    while len(found.starts) <= _MOST_LINKS and (block := stream.read(_WINDOW)):
        data = tail + block
        begins = at - len(tail)
        found.starts += [begins + m.start() for m in _FLAC.finditer(data) if begins + m.start() > 0]
        at += len(block)
        tail = data[-7:]  # the pattern has 8 bytes
    return found
