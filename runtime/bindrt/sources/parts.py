"""A part of a file as a file of its own: a sound behind a tag, one of several, one with a mended header."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO, cast

from bindrt.sources.opening import HEAD, Opened
from bindrt.sources.streams import AtPosition


class _Part(AtPosition):
    """A range of a stream, with some of its bytes replaced. It does not close the stream."""

    def __init__(self, stream: BinaryIO, inside: range, replaced: Mapping[int, bytes]) -> None:
        super().__init__(len(inside))
        self._stream, self._inside, self._replaced = stream, inside, replaced

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:  # decoders of damaged files look before the beginning
            return super().seek(0)

    def _read_at(self, at: int, count: int) -> bytes:
        self._stream.seek(self._inside.start + at)
        data = bytearray(self._stream.read(max(min(count, len(self._inside) - at), 0)))
        for begin, new in self._replaced.items():
            low, high = max(begin, at), min(begin + len(new), at + len(data))
            if low < high:
                data[low - at : high - at] = new[low - begin : high - begin]
        return bytes(data)


@contextlib.contextmanager
def part_of(
    opened: Opened, start: int = 0, end: int | None = None, replaced: Mapping[int, bytes] | None = None
) -> Iterator[Opened]:
    """The bytes from ``start`` to ``end``, opened like a file; all of it, unchanged, is the file itself.

    Args:
        replaced: bytes to be read in place of the file's, by their position in the part.
    """
    end = opened.size if end is None else min(end, opened.size)
    if start == 0 and end == opened.size and not replaced:
        yield opened
        return
    with opened.binary() as stream:
        part = _Part(stream, range(start, end), replaced or {})
        head = part.read(HEAD) or b""
        part.seek(0)
        yield dataclasses.replace(opened, size=end - start, head=head, path=None, stream=cast(BinaryIO, part))
