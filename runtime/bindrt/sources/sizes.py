"""What the headers of sound files say of their size, and what is right where they are wrong.

Programs that are killed, or that write into a pipe, leave a size of 0, of all bits set, or near 2 or 4 GiB;
others write the size of the file as that of the samples. Such a size says nothing. Any other that is too
large shows a cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal

from bindrt.sources.formats import Format
from bindrt.sources.opening import Opened, decoding

Order = Literal["little", "big"]

_MOST_CHUNKS = 1000
#: So close to 2 and 4 GiB stands a size that was not known; so many bytes may stand behind true samples.
_NEAR = 1 << 16
#: What follows the names of W64's chunks.
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")


@dataclass(frozen=True)
class Size:
    """A number that says how many bytes of samples there are.

    Attributes:
        at: where the samples begin.
        value: how many bytes the header says.
        field: where the number stands.
        width: its bytes.
        order: ``little`` or ``big``.
        extra: what the number counts besides the samples.
    """

    at: int
    value: int
    field: int
    width: int
    order: Order
    extra: int = 0

    def rest(self, size: int) -> int:
        """How many bytes there are for the samples in a file of this size."""
        return max(size - self.at, 0)

    def unknown(self, size: int) -> bool:
        """Whether the number was never written, or is another's."""
        top, rest = 1 << (8 * self.width), self.rest(size)
        raw = self.value + self.extra
        if raw >= top - _NEAR or (self.width >= 4 and abs(raw - top // 2) <= _NEAR):
            return self.value > rest or rest - self.value > _NEAR
        if self.value <= 0 or self.value - rest in (self.at, self.at - 8, 8, 36):
            return True
        return self.width == 4 and size > top and (rest - self.value) % top == 0  # it has overflowed

    def mended(self, size: int) -> dict[int, bytes]:
        """The bytes of the right number, by their position."""
        number = min(self.rest(size) + self.extra, (1 << (8 * self.width)) - 1)
        return {self.field: number.to_bytes(self.width, self.order)}


def mended_header(opened: Opened, file_format: Format) -> Mapping[int, bytes]:
    """Bytes of a header to be read in place of the file's; empty if its sizes are right.

    Raises:
        SourceError: the file is shorter than its header says.
    """
    if file_format.name not in _FIND:
        return {}
    with opened.binary() as stream, decoding(opened.name, f"{file_format.title} file"):
        found = _FIND[file_format.name](stream, opened.size)
    if found is None or found.value == found.rest(opened.size):
        return {}
    if found.unknown(opened.size):
        return found.mended(opened.size)
    missing = found.value - found.rest(opened.size)
    if missing > 1:
        opened.ends_early(f"the {file_format.title} is truncated: {missing} bytes are missing")
        return found.mended(opened.size)
    return {}


def _riff(stream: BinaryIO, size: int) -> Size | None:
    order: Order = "big" if stream.read(12)[:4] == b"RIFX" else "little"
    long: Size | None = None  # RF64 has the size in its first chunk, ds64
    for name, at, length in _chunks(stream, 12, order):
        if name == b"ds64":
            stream.seek(at + 8)
            long = Size(0, int.from_bytes(stream.read(8), "little"), at + 8, 8, "little")
        if name == b"data":
            if long is not None and length == 0xFFFFFFFF:
                return Size(at, long.value, long.field, 8, "little")
            if length == 0 and _chunk_follows(stream, at, size, order):
                return None  # there is no sample
            return Size(at, length, at - 4, 4, order)
    return None


def _chunk_follows(stream: BinaryIO, at: int, size: int, order: Order) -> bool:
    """Whether the file ends here, or a chunk begins that lies within it: then there is no sample before."""
    if at >= size:
        return True
    stream.seek(at)
    name = stream.read(4)
    return name.isalnum() and at + 8 + _number(stream, 4, order) <= size + 1


def _aiff(stream: BinaryIO, size: int) -> Size | None:
    for name, at, length in _chunks(stream, 12, "big"):
        if name in (b"SSND", b"BODY"):
            skipped = 8 if name == b"SSND" else 0
            if length == skipped and _chunk_follows(stream, at + skipped, size, "big"):
                return None
            return Size(at + skipped, length - skipped, at - 4, 4, "big", skipped)
    return None


def _voc(stream: BinaryIO, size: int) -> Size | None:
    """The last block that has samples, or the one that is cut."""
    stream.seek(20)
    at, found = _number(stream, 2, "little"), None
    for _ in range(_MOST_CHUNKS):
        stream.seek(at)
        kind, length = _number(stream, 1, "little"), _number(stream, 3, "little")
        if kind == 0 or at >= size:
            break
        if kind in (1, 2, 9):
            found = Size(at + 4, length, at + 1, 3, "little")
        at += 4 + length
    return found


def _au(stream: BinaryIO, size: int) -> Size | None:
    order: Order = "big" if stream.read(4) == b".snd" else "little"
    start, length = _number(stream, 4, order), _number(stream, 4, order)
    return Size(start, length, 8, 4, order)


def _caf(stream: BinaryIO, size: int) -> Size | None:
    at = 8
    for _ in range(_MOST_CHUNKS):
        stream.seek(at)
        name, length = stream.read(4), _number(stream, 8, "big")
        if name == b"data":
            return Size(at + 16, length - 4, at + 4, 8, "big", 4)
        if not name or length >= 1 << 63:
            return None
        at += 12 + length
    return None


def _w64(stream: BinaryIO, size: int) -> Size | None:
    at = 40
    for _ in range(_MOST_CHUNKS):
        stream.seek(at)
        name, length = stream.read(16), _number(stream, 8, "little")
        if name == b"data" + W64_TAIL:
            return Size(at + 24, length - 24, at + 16, 8, "little", 24)
        if len(name) < 16 or length < 24:
            return None
        at += (length + 7) // 8 * 8
    return None


def _chunks(stream: BinaryIO, at: int, order: Order) -> Iterator[tuple[bytes, int, int]]:
    """Name, position and length of the chunks of RIFF and IFF."""
    for _ in range(_MOST_CHUNKS):
        stream.seek(at)
        name = stream.read(4)
        if len(name) < 4:
            return
        length = _number(stream, 4, order)
        yield name, at + 8, length
        at += 8 + length + length % 2


def _number(stream: BinaryIO, width: int, order: Order) -> int:
    return int.from_bytes(stream.read(width), order)


_FIND = {"WAV": _riff, "AIFF": _aiff, "SVX": _aiff, "AU": _au, "CAF": _caf, "W64": _w64, "VOC": _voc}
