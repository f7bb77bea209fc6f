"""A part of a file as a file of its own: a sound behind a tag, one of several, one with a mended header."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, cast

from bindrt.sources.opening import Opened

_HEAD = 4096


class _Part(io.RawIOBase):
    """A range of a stream, with some of its bytes replaced. It does not close the stream."""

    def __init__(self, stream: BinaryIO, inside: range, replaced: Mapping[int, bytes]) -> None:
        self._stream, self._inside, self._replaced, self._at = stream, inside, replaced, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._inside)}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        room = memoryview(buffer).cast("B")
        self._stream.seek(self._inside.start + self._at)
        data = bytearray(self._stream.read(max(min(len(room), len(self._inside) - self._at), 0)))
        for at, new in self._replaced.items():
            low, high = max(at, self._at), min(at + len(new), self._at + len(data))
            if low < high:
                data[low - self._at : high - self._at] = new[low - at : high - at]
        room[: len(data)] = data
        self._at += len(data)
        return len(data)


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
        head = part.read(_HEAD) or b""
        part.seek(0)
        yield dataclasses.replace(opened, size=end - start, head=head, path=None, stream=cast(BinaryIO, part))
