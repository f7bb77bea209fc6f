"""File objects of any kind as binary streams that can seek, each reader with a place of its own.

The caller's object may be given to several items at once, and its position is the caller's: nothing here
reads at a position that someone else may move.
"""

from __future__ import annotations

import inspect
import io
import mmap
import os
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, cast

from bindrt.errors import LimitError, SourceError
from bindrt.limits import Limits
from bindrt.wanted import require_wanted

_AT_ONCE = 1 << 20


def is_file_object(src: object) -> bool:
    """Whether bytes can be read from ``src``: a file object or a socket."""
    return hasattr(src, "read") or (hasattr(src, "recv") and hasattr(src, "makefile"))


def own_stream(file: Any, name: str, limits: Limits) -> BinaryIO:
    """A stream of all bytes of a file object, which nobody else reads.

    One that cannot seek is read to its end from where it is; any other counts from its beginning.

    Raises:
        SourceError: it returns text, is asynchronous, or has no data yet.
        LimitError: it cannot seek and has more than ``limits.max_bytes``.
    """
    file = _unwrapped(file)
    if isinstance(file, io.TextIOBase):
        raise _returns_text(name)
    if isinstance(file, io.BytesIO):
        return io.BytesIO(file.getvalue())  # its bytes are shared until someone writes
    if isinstance(file, mmap.mmap):
        return cast(BinaryIO, _Memory(memoryview(file)))
    if (descriptor := _regular_file(file)) is not None:
        return cast(BinaryIO, io.BufferedReader(_Positioned(descriptor)))
    if inspect.iscoroutinefunction(file.read):
        raise SourceError(name, "its read() is asynchronous", "await it, and pass the bytes")
    with alone(file):
        size = _seekable_size(file)
        if size is None:
            return _read_to_end(file, name, limits)
    return cast(BinaryIO, io.BufferedReader(_Shared(file, size, name)))


def _unwrapped(file: Any) -> Any:
    """The file object in a socket, a temporary file or a web framework's upload."""
    if not hasattr(file, "read"):
        return file.makefile("rb")
    inner = getattr(file, "file", None)  # tempfile's, Starlette's
    is_wrapper = hasattr(inner, "read") and not isinstance(file, io.IOBase)
    return inner if is_wrapper else file


def _regular_file(file: Any) -> int | None:
    """A descriptor of one's own for a plain open file; None for any other object."""
    raw = file.raw if isinstance(file, (io.BufferedReader, io.BufferedRandom)) else file
    if type(raw) is not io.FileIO or not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        return None
    if isinstance(file, io.BufferedRandom):
        file.flush()
    return os.dup(raw.fileno())


def _seekable_size(file: Any) -> int | None:
    """The length of a file object that can seek; None if it cannot. It is at its beginning then."""
    if is_in_tar(file) and not hasattr(cast(Any, file.raw).fileobj, "seekable"):
        return None  # in an archive that is read as a stream, which says otherwise
    try:
        if hasattr(file, "seekable") and not file.seekable():
            return None
        end = file.seek(0, io.SEEK_END)
        size = end if isinstance(end, int) else file.tell()
        file.seek(0)
    except Exception:  # whatever it raises, it does not seek
        return None
    return int(size)


def _read_to_end(file: Any, name: str, limits: Limits) -> BinaryIO:
    whole = io.BytesIO()
    while block := _block(file.read(_AT_ONCE), name):
        require_wanted()
        if whole.tell() + len(block) > limits.max_bytes:
            raise LimitError(
                name, f"it has more than {limits.max_bytes} bytes", "raise Limits.max_bytes, or pass a path"
            )
        whole.write(block)
    if not whole.tell():
        raise SourceError(name, "it holds no bytes", "a stream that cannot seek is read only once")
    return whole


def _block(block: object, name: str) -> bytes:
    """What ``read`` returned, as bytes."""
    if isinstance(block, bytes):
        return block
    if isinstance(block, (bytearray, memoryview)):
        return bytes(block)
    if isinstance(block, str):
        raise _returns_text(name)
    if block is None:
        raise SourceError(name, "it has no data yet: it does not block", "read it, and pass the bytes")
    if inspect.iscoroutine(block):
        block.close()
        raise SourceError(name, "its read() is asynchronous", "await it, and pass the bytes")
    raise SourceError(name, f"its read() returns {type(block).__name__}, not bytes", "pass a binary file")


def _returns_text(name: str) -> SourceError:
    return SourceError(name, "the file object returns text", "open it in binary mode: open(path, 'rb')")


class AtPosition(io.RawIOBase):
    """A stream that reads at a position of its own."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"negative seek position {start + offset}")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._read_at(self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _read_at(self, at: int, count: int) -> bytes | memoryview:
        """At most ``count`` bytes from position ``at``."""
        raise NotImplementedError


class _Memory(AtPosition):
    """Bytes in memory, which are not copied."""

    def __init__(self, view: memoryview) -> None:
        super().__init__(len(view))
        self._view = view

    def _read_at(self, at: int, count: int) -> memoryview:
        return self._view[at : at + count]


class _Positioned(AtPosition):
    """A regular file, by a descriptor that it closes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        super().__init__(os.fstat(descriptor).st_size)

    def _read_at(self, at: int, count: int) -> bytes:
        return os.pread(self._descriptor, count, at)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class _Shared(AtPosition):
    """A file object of the caller's that can seek; it may serve several of these at once."""

    def __init__(self, file: Any, size: int, name: str) -> None:
        super().__init__(size)
        self._file = file
        self._name = name

    def _read_at(self, at: int, count: int) -> bytes:
        with alone(self._file):
            self._file.seek(at)
            return _block(self._file.read(count), self._name)[:count]


_guard = threading.Lock()
_locks: dict[int, threading.RLock] = {}
_users: Counter[int] = Counter()


@contextmanager
def alone(file: object) -> Iterator[None]:
    """Only one thread at a time reads from an object, or from what lies under several file objects."""
    key = id(_shared_part(file))
    with _guard:
        _users[key] += 1
        lock = _locks.setdefault(key, threading.RLock())
    try:
        with lock:
            yield
    finally:
        with _guard:
            _users[key] -= 1
            if not _users[key]:
                del _users[key], _locks[key]


def is_in_tar(file: Any) -> bool:
    """Whether a file object is a member of a tar archive that is open."""
    import tarfile

    return isinstance(file, tarfile.ExFileObject)


def _shared_part(file: Any) -> object:
    """What several file objects share: the archive under members of a tar."""
    with suppress(AttributeError):
        if is_in_tar(file):
            return cast(Any, file.raw).fileobj
    return file
