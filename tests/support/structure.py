"""Where media files keep their lengths, counts and offsets: the places at which a lie does most harm.

Each walker follows a format only as far as that needs, and stops at whatever it does not understand.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Field:
    """A whole number in a file: where, of how many bytes, in which order."""

    at: int
    size: int
    order: Literal["little", "big"]

    def read(self, data: bytes) -> int:
        return int.from_bytes(data[self.at : self.at + self.size], self.order)

    def write(self, data: bytes, value: int) -> bytes:
        value %= 1 << (8 * self.size)
        return data[: self.at] + value.to_bytes(self.size, self.order) + data[self.at + self.size :]


def fields_of(data: bytes) -> list[Field]:
    """The length, count and size fields of a file; none for a format without them."""
    for magic, walker in _WALKERS:
        if re.match(magic, data, re.DOTALL):
            return [f for f in walker(data) if f.at + f.size <= len(data)]
    return []


def _png(data: bytes) -> Iterator[Field]:
    at = 8
    while at + 12 <= len(data):
        length = Field(at, 4, "big")
        yield length
        if data[at + 4 : at + 8] == b"IHDR":
            yield from (Field(at + 8, 4, "big"), Field(at + 12, 4, "big"))
            yield from (Field(at + n, 1, "big") for n in range(16, 21))
        at += 12 + length.read(data)


def with_png_sums(data: bytes) -> bytes:
    """The file with its checksums made right again, as far as its chunks can be followed."""
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        end = at + 8 + int.from_bytes(out[at : at + 4], "big")
        if end + 4 > len(out):
            break
        out[end : end + 4] = zlib.crc32(out[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(out)


def _jpeg(data: bytes) -> Iterator[Field]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xD9, 0x00):
        length, marker = Field(at + 2, 2, "big"), data[at + 1]
        yield length
        if marker in (0xC0, 0xC1, 0xC2):
            yield from (Field(at + 4, 1, "big"), Field(at + 5, 2, "big"), Field(at + 7, 2, "big"))
            yield from (Field(at + n, 1, "big") for n in range(9, 19))
        if marker == 0xDA:
            return
        at += 2 + length.read(data)


def _riff(data: bytes, start: int = 12, end: int | None = None) -> Iterator[Field]:
    """Chunks of a WAV, AVI or WebP; the numbers of the headers within."""
    if start == 12:
        yield Field(4, 4, "little")
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        kind, length = data[at : at + 4], Field(at + 4, 4, "little")
        yield length
        size = length.read(data)
        if kind in (b"LIST", b"RIFF"):
            yield from _riff(data, at + 12, min(at + 8 + size, end))
        elif kind in (b"fmt ", b"fact"):
            yield from (Field(at + 8 + n, 2, "little") for n in range(0, min(size, 20), 2))
        elif kind in (b"avih", b"strh", b"strf", b"VP8X", b"idx1"):
            yield from (Field(at + 8 + n, 4, "little") for n in range(0, min(size, 64), 4))
        at += 8 + size + size % 2


_BOXES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"dinf", b"moof", b"traf", b"mvex")
_TABLES = (b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stco", b"co64", b"elst", b"stsd", b"sgpd", b"sbgp")


def _mp4(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        length, kind = Field(at, 4, "big"), data[at + 4 : at + 8]
        yield length
        size = length.read(data) or end - at
        if size < 8:
            return
        if kind in _BOXES:
            yield from _mp4(data, at + 8, min(at + size, end))
        elif kind in _TABLES or kind in (b"mvhd", b"mdhd", b"tkhd"):
            yield from (Field(n, 4, "big") for n in range(at + 12, min(at + min(size, 64), end - 3), 4))
        at += size


_MASTERS = (b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xae", b"\x1f\x43\xb6\x75", b"\xe0", b"\xe1", b"\xa0")


def _ebml(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """Matroska's elements: an identifier, a size of one to eight bytes, and content that may nest."""
    at, end = start, len(data) if end is None else end
    while at + 2 <= end and data[at]:
        name = data[at : at + 9 - data[at].bit_length()]
        at += len(name)
        if at >= end or not data[at]:
            return
        width = 9 - data[at].bit_length()
        length = Field(at, width, "big")
        yield length
        size = length.read(data) & ((1 << 7 * width) - 1)
        at += width
        inner = min(at + size, end)
        if name in _MASTERS:
            yield from _ebml(data, at, inner)
        elif size <= 8:
            yield Field(at, max(size, 1), "big")
        at = inner


def _ogg(data: bytes) -> Iterator[Field]:
    for found in re.finditer(rb"OggS", data):
        at = found.start()
        yield from (Field(at + 5, 1, "little"), Field(at + 6, 8, "little"), Field(at + 26, 1, "little"))
        yield Field(at + 27, 1, "little")


def _flac(data: bytes) -> Iterator[Field]:
    at, last = 4, False
    while not last and at + 4 <= len(data):
        last = data[at] >= 0x80
        length = Field(at + 1, 3, "big")
        yield length
        if data[at] & 0x7F == 0:
            yield from (Field(at + 4, 2, "big"), Field(at + 6, 2, "big"), Field(at + 14, 4, "big"))
            yield Field(at + 18, 4, "big")
        at += 4 + length.read(data)


def _tiff(data: bytes) -> Iterator[Field]:
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    first = Field(4, 4, order)
    yield first
    at = first.read(data)
    count = Field(at, 2, order)
    yield count
    for entry in range(at + 2, at + 2 + 12 * min(count.read(data), 64), 12):
        yield from (Field(entry, 2, order), Field(entry + 2, 2, order))
        yield from (Field(entry + 4, 4, order), Field(entry + 8, 4, order))


def _zip(data: bytes) -> Iterator[Field]:
    """Sizes, name lengths and offsets of local headers, directory entries and the directory's end."""
    where = {b"PK\3\4": ((6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)),
             b"PK\1\2": ((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4)),
             b"PK\5\6": ((4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2))}  # fmt: skip
    for found in re.finditer(rb"PK(?:\x03\x04|\x01\x02|\x05\x06)", data):
        yield from (Field(found.start() + n, size, "little") for n, size in where[found.group()])


def _npy(data: bytes) -> Iterator[Field]:
    yield from (Field(6, 1, "little"), Field(8, 2, "little"))
    # Digits of the header's dtype and shape.
    yield from (Field(m.start(), 1, "big") for m in re.finditer(rb"\d", data[:128]))


def _sync(data: bytes) -> Iterator[Field]:
    """Frames of MP3 and ADTS: the headers' bits."""
    for found in re.finditer(rb"\xff[\xf0-\xff]", data):
        yield Field(found.start(), 4, "big")
        yield Field(found.start() + 3, 3, "big")


_WALKERS = (
    (rb"\x89PNG", _png),
    (rb"\xff\xd8", _jpeg),
    (rb"RIFF", _riff),
    (rb"....(?:ftyp|moov|wide|free|mdat)", _mp4),
    (rb"\x1aE\xdf\xa3", _ebml),
    (rb"OggS", _ogg),
    (rb"fLaC", _flac),
    (rb"II\*\0|MM\0\*", _tiff),
    (rb"PK", _zip),
    (rb"\x93NUMPY", _npy),
    (rb"ID3|\xff", _sync),
    (rb"BM", lambda data: (Field(n, 4, "little") for n in (2, 10, 14, 18, 22, 28, 30, 34, 46))),
    (rb"GIF8", lambda data: (Field(n, 2, "little") for n in (6, 8, 10))),
)
