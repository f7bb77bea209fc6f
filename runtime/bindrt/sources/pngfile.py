"""What Pillow does not tell about a PNG: how many bits a sample has, and whether all rows are there."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bindrt import _core
from bindrt.errors import SourceError
from bindrt.sources.opening import IF_CUT

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # samples of a pixel by colour type
#: First column, first row, and the steps between them, of the seven passes of an interlaced image.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_BLOCK = 1 << 16
#: Pillow takes some microseconds for each.
_MOST_CHUNKS: int = _core.item_numbers()["picture"]["most_chunks"]


@dataclass(frozen=True)
class PngHeader:
    """The header of a PNG. ``bits`` is of one sample; ``colour`` is the colour type."""

    width: int
    height: int
    bits: int
    colour: int
    interlaced: bool

    @property
    def samples(self) -> int:
        """Samples of a pixel."""
        return _SAMPLES.get(self.colour, 1)

    @property
    def held(self) -> int:
        """Bytes that the image data unpack to: each row begins with the number of its filter."""
        passes = _PASSES if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for left, top, across, down in passes:
            columns = -(-(self.width - left) // across)
            rows = -(-(self.height - top) // down)
            if columns > 0 and rows > 0:
                total += rows * (1 + -(-columns * self.samples * self.bits // 8))
        return total


def png_header(head: bytes) -> PngHeader | None:
    """The header, from the first 29 bytes of a file; None if it is not there."""
    if len(head) < 29 or head[12:16] != b"IHDR":
        return None
    width, height, bits, colour, _, _, interlace = struct.unpack_from(">IIBBBBB", head, 16)
    return PngHeader(width, height, bits, colour, interlace == 1)


def check_chunks(stream: BinaryIO, name: str) -> None:
    """Raises SourceError for more chunks before the end of the picture than any program writes."""
    stream.seek(8)
    for _ in range(_MOST_CHUNKS):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        stream.seek(int.from_bytes(head[:4], "big") + 4, 1)
    raise SourceError(name, f"the PNG image has more than {_MOST_CHUNKS} chunks", "save it again")


def check_rows(stream: BinaryIO, header: PngHeader, name: str) -> None:
    """Raises SourceError if the image data unpack to fewer bytes than the header promises."""
    there = _unpacked(stream, header.held)
    if there < header.held:
        raise SourceError(name, f"the PNG image has {there} of {header.held} bytes of pixels", IF_CUT)


def _unpacked(stream: BinaryIO, most: int) -> int:
    """How many bytes the image data unpack to, counted up to ``most``, without holding them."""
    unpack = zlib.decompressobj()
    count = 0
    for packed in _image_data(stream):
        while packed and count < most and not unpack.eof:
            count += len(unpack.decompress(packed, _BLOCK))
            packed = unpack.unconsumed_tail
        if count >= most or unpack.eof:
            break
    return count


def _image_data(stream: BinaryIO) -> Iterator[bytes]:
    """The content of the IDAT chunks, in blocks."""
    stream.seek(8)
    while len(head := stream.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"IEND":
            return
        if kind != b"IDAT":
            stream.seek(length + 4, 1)
            continue
        while length > 0 and (block := stream.read(min(length, _BLOCK))):
            length -= len(block)
            yield block
        stream.seek(4, 1)
