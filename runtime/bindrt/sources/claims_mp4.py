"""The tables of an MP4 or MOV: how many packets they claim, and how many bytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from bindrt.arrays import Array

_DEEPEST = 16
_FOLDERS = frozenset(
    b"moov trak mdia minf stbl edts moof traf mvex udta dinf wave tapt sinf schi mfra cmov hoov".split()
)
_COUNTED = frozenset(b"ctts stco co64 stss stps elst senc trun".split())  # the count is at byte 4
_LARGEST_HEADER = 64 << 20  # bytes of a compressed movie header
_HANDLERS = frozenset((b"vide", b"soun", b"subp", b"clcp"))  # others say where a track's data lie
_PROTECTIONS = 1000  # boxes ``pssh``; FFmpeg compares each with all before it
_TOGETHER = 1024  # samples of sound that FFmpeg makes a packet of


@dataclass
class Claim:
    """What was found.

    Attributes:
        packets: the largest number that a table claims; for fragments their sum.
        wrong: what cannot be true, in words; empty if nothing.
        cut: what shows that the file ends too early; empty if nothing.
    """

    packets: int = 0
    wrong: str = ""
    cut: str = ""


@dataclass
class _Track:
    """What the boxes of a track say; they may stand in any order."""

    handlers: set[bytes] = field(default_factory=set)
    steps: list[Array] = field(default_factory=list)  # [runs, 2]: packets, ticks of each
    chunks: int = 0
    in_chunks: list[Array] = field(default_factory=list)  # [runs, 3]: first chunk, samples of each, entry
    sizes: list[tuple[int, int]] = field(default_factory=list)  # packets, bytes in all

    @property
    def is_sound_by_chunks(self) -> bool:
        """Sound whose table counts single samples: packets are made of its chunks."""
        one_tick = all(len(step) == 1 and step[0, 1] == 1 for step in self.steps)
        return self.handlers & _HANDLERS == {b"soun"} and bool(self.steps) and one_tick

    def packets_of_chunks(self) -> int:
        total = 0
        for runs in self.in_chunks:
            firsts = np.append(runs[:, 0], self.chunks + 1).astype(np.int64)
            total += int((np.diff(firsts).clip(0) * -(-runs[:, 1].astype(np.int64) // _TOGETHER)).sum())
        return total


class _Look:
    def __init__(self, size: int, most: int) -> None:
        self.claim = Claim()
        self._size, self._most = size, most
        self._track = _Track()
        self._in_fragments = 0
        self._protections = 0

    def folder(self, stream: BinaryIO, start: int, end: int, depth: int = 0) -> None:
        for kind, at, stop in _boxes(stream, start, end):
            if self.claim.wrong or self.claim.packets > self._most:
                return
            if kind == b"trak":
                self._track = _Track()
            if kind == b"cmvd" and depth < _DEEPEST:
                self._compressed(stream, at, stop, depth + 1)
            elif (kind in _FOLDERS or kind == b"meta") and depth < _DEEPEST:
                self.folder(stream, at + 4 * (kind == b"meta"), stop, depth + 1)
            else:
                self._table(kind, stream, at, stop)
            if kind == b"trak":
                self.judge()

    def _table(self, kind: bytes, stream: BinaryIO, at: int, stop: int) -> None:
        track = self._track
        if kind in _COUNTED:
            (_, count) = (*_numbers(stream, at, stop, 2), 0, 0)[:2]
            if kind == b"trun":
                count = self._in_fragments = self._in_fragments + count
            if kind in (b"stco", b"co64"):
                track.chunks = max(track.chunks, count)
            self._claims(count)
        elif kind == b"pssh":
            self._protections += 1
            if self._protections > _PROTECTIONS:
                self.claim.wrong = f"more than {_PROTECTIONS} boxes of how it is protected"
        elif kind == b"hdlr":
            stream.seek(at + 8)
            track.handlers.add(stream.read(4))
        elif kind == b"stts":
            track.steps.append(self._rows(stream, at, stop, 2))
        elif kind == b"stsc":
            track.in_chunks.append(self._rows(stream, at, stop, 3))
        elif kind in (b"stsz", b"stz2"):
            self._sizes(kind, stream, at, stop)

    def _sizes(self, kind: bytes, stream: BinaryIO, at: int, stop: int) -> None:
        head = _numbers(stream, at, stop, 3)
        if len(head) < 3:
            return
        _, size, count = head
        total, needed = size * count, 0
        if kind == b"stz2":
            total, needed = 0, count * (size & 0xFF) // 8
        elif size == 0 and count <= self._most:
            table = _table_of(stream, at + 12, stop, count, 1)
            total, needed = int(table.sum(dtype=np.uint64)), 4 * count
        if needed > stop - at - 12:
            self.claim.wrong = f"the table of sizes claims {count} packets and ends before"
        self._track.sizes.append((count, total))

    def judge(self) -> None:
        """Compares what a track claims with the file."""
        track = self._track
        if track.is_sound_by_chunks:
            self._claims(track.packets_of_chunks())
            return
        for count, total in track.sizes:
            self._claims(count)
            if total > self._size and count <= self._most:
                self.claim.cut = f"truncated: the packets have {total} bytes, the file has {self._size}"

    def _claims(self, packets: int) -> None:
        self.claim.packets = max(self.claim.packets, packets)

    def _rows(self, stream: BinaryIO, at: int, stop: int, columns: int) -> Array:
        """A table with its count at byte 4; without rows if it has too many of them."""
        count = (*_numbers(stream, at, stop, 2), 0, 0)[1]
        self._claims(count)
        return _table_of(stream, at + 8, stop, count if count <= self._most else 0, columns)

    def _compressed(self, stream: BinaryIO, at: int, stop: int, depth: int) -> None:
        """A movie header that is packed, as QuickTime once did."""
        length = (*_numbers(stream, at, stop, 1), 0)[0]
        if length > _LARGEST_HEADER:
            self.claim.wrong = f"the packed header claims {length} bytes"
            return
        stream.seek(at + 4)
        header = zlib.decompressobj().decompress(stream.read(stop - at - 4), length or 1)
        self.folder(io.BytesIO(header), 0, len(header), depth)


def look(stream: BinaryIO, size: int, most: int) -> Claim:
    """Reads the counts of all tables, wherever they are.

    Args:
        size: of the file, in bytes.
        most: packets beyond which there is no need to look on.
    """
    found = _Look(size, most)
    found.folder(stream, 0, size)
    found.judge()
    return found.claim


def _boxes(stream: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each box, and where its content starts and ends."""
    at = start
    while at + 8 <= end:
        stream.seek(at)
        head = stream.read(16)
        if len(head) < 8:
            return
        length, content = int.from_bytes(head[:4], "big"), at + 8
        if length == 1 and len(head) == 16:
            length, content = int.from_bytes(head[8:], "big"), at + 16
        stop = end if length == 0 else min(at + length, end)
        if stop < content:
            return
        yield head[4:8], content, stop
        at = stop


def _numbers(stream: BinaryIO, at: int, stop: int, count: int) -> tuple[int, ...]:
    """So many numbers of four bytes, or those that are there."""
    stream.seek(at)
    there = stream.read(min(4 * count, max(stop - at, 0)))
    whole = len(there) // 4
    return struct.unpack(f">{whole}I", there[: 4 * whole])


def _table_of(stream: BinaryIO, at: int, stop: int, rows: int, columns: int) -> Array:
    """The rows of a table of numbers that are there."""
    stream.seek(at)
    there = stream.read(min(4 * columns * rows, max(stop - at, 0)))
    whole = len(there) // (4 * columns)
    return np.frombuffer(there[: whole * 4 * columns], ">u4").reshape(whole, columns)
