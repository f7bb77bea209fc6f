"""Reading files that may lie about their sizes: no more is allocated than there are bytes to fill it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from bindrt.errors import SourceError
from bindrt.recordings.libraries import library

#: The most bytes that a chunk may unpack to.
MOST_CHUNK = 512 << 20
_PIECE = 1 << 20


class CutError(Exception):
    """The file ends before what it promises."""


class DamageError(Exception):
    """A part of a file does not hold what it says."""


class BoundedFile:
    """A file of which reads beyond its end are a :class:`CutError`, before memory is allocated for them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    def read(self, count: int = -1) -> bytes:
        """Exactly ``count`` bytes; -1: all that are left."""
        left = self.size - self._file.tell()
        if count < 0:
            count = max(left, 0)
        if count > left:
            raise CutError(f"at byte {self.size}, within {count} bytes that begin at {self._file.tell()}")
        data = self._file.read(count)
        if len(data) != count:  # the file became shorter
            raise CutError(f"at byte {self._file.tell()}, and became shorter while it was read")
        return data

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


def open_bounded(path: Path) -> BoundedFile:
    """Opens a file.

    Raises:
        SourceError: it is missing, a folder, or may not be read.
    """
    try:
        return BoundedFile(open(path, "rb"))
    except OSError as error:
        raise SourceError(
            repr(str(path)), f"it cannot be opened: {error.strerror}", "check the path"
        ) from error


def unpack(compression: str, data: bytes, size: int) -> bytes:
    """Unpacks a chunk that says it has ``size`` bytes. It is unpacked in pieces, so a lie costs no memory.

    Raises:
        DamageError: too large, of another size than it says, damaged, or of an unknown compression.
    """
    if size > MOST_CHUNK:
        raise DamageError(f"a chunk of {size} bytes is more than the limit of {MOST_CHUNK}")
    if compression in ("", "none"):
        unpacked = data
    elif compression in _UNPACKERS:
        try:
            unpacked = _UNPACKERS[compression](data, size)
        except Exception as error:  # each library raises its own kinds
            raise DamageError(f"a chunk cannot be unpacked: {error}") from error
    else:
        raise DamageError(f"the compression {compression[:20]!r} is not known")
    if len(unpacked) != size:
        raise DamageError(f"a chunk has {len(unpacked)} bytes, and says {size}")
    return unpacked


def _bounded(read: Callable[[int], bytes], size: int) -> bytes:
    """What ``read`` gives until its end, at most a byte more than ``size``."""
    parts: list[bytes] = []
    left = size + 1
    while left > 0 and (part := read(min(left, _PIECE))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _zstd(data: bytes, size: int) -> bytes:
    with library("zstandard", "zstandard").ZstdDecompressor().stream_reader(data) as reader:
        return _bounded(reader.read, size)


def _lz4(data: bytes, size: int) -> bytes:
    unpacker = library("lz4.frame", "lz4").LZ4FrameDecompressor()
    return _fed(lambda given, most: unpacker.decompress(given, most), data, size)


def _bz2(data: bytes, size: int) -> bytes:
    import bz2

    unpacker = bz2.BZ2Decompressor()
    return _fed(lambda given, most: unpacker.decompress(given, most), data, size)


def _fed(decompress: Callable[[bytes, int], bytes], data: bytes, size: int) -> bytes:
    """What a decompressor that keeps its rest gives, in pieces."""
    rest = data

    def read(most: int) -> bytes:
        nonlocal rest
        try:
            part = decompress(rest, most)
        except EOFError:  # behind the end of the stream
            return b""
        rest = b""
        return part

    return _bounded(read, size)


_UNPACKERS: Mapping[str, Callable[[bytes, int], bytes]] = {"zstd": _zstd, "lz4": _lz4, "bz2": _bz2}
