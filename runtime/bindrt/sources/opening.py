"""From paths, bytes and file objects to something that a decoder can open."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, cast

from bindrt.arrays import item_name
from bindrt.errors import Error, LimitError, SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits

_HEAD = 4096


@dataclass(frozen=True)
class Opened:
    """A source that a decoder can open: the ``path`` of a regular file, or a ``stream`` that can seek.

    Attributes:
        name: its name in errors.
        size: its length in bytes, at least 1.
        head: its first bytes, at most 4096.
        path: the absolute path; None for a stream.
        stream: the stream; None for a path.
    """

    name: str
    size: int
    head: bytes
    path: str | None = None
    stream: BinaryIO | None = None

    @property
    def target(self) -> Any:
        """What decoders take: the path, or the stream, moved to its beginning."""
        if self.path is not None:
            return self.path
        assert self.stream is not None
        self.stream.seek(0)
        return self.stream

    @contextlib.contextmanager
    def binary(self) -> Iterator[BinaryIO]:
        """A binary stream at its beginning. It is closed at the end only if it was opened here."""
        with contextlib.ExitStack() as stack:
            with decoding(self.name, "file"):  # the file may have been removed meanwhile
                stream = self.target if self.path is None else stack.enter_context(open(self.path, "rb"))
            yield cast(BinaryIO, stream)


def is_file_source(src: object) -> bool:
    """Whether ``src`` is a path, bytes or a file object."""
    return isinstance(src, (str, os.PathLike, bytes, bytearray, memoryview)) or hasattr(src, "read")


@contextlib.contextmanager
def decoding(name: str, what: str, remedy: str = "") -> Iterator[None]:
    """Turns whatever a decoder raises into a SourceError: ``<name>: cannot read the <what>: …``.

    Raises:
        LimitError: in place of a MemoryError.
    """
    try:
        yield
    except Error:
        raise
    except MemoryError as error:
        raise LimitError(name, f"not enough memory for the {what}", "lower bindrt.Limits") from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise SourceError(name, f"cannot read the {what}: {reason}", remedy) from error


def library(name: str) -> Any:
    """A decoder's library, imported when it is first needed.

    Raises:
        Error: it cannot be imported; for example, its C library is missing.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:  # a library that was built for another machine may fail in any way
        raise Error(
            name, f"the library does not load: {error}", "python -m bindrt doctor says more"
        ) from error


def open_source(src: object, limits: Limits = DEFAULT_LIMITS) -> Opened:
    """Makes sure that ``src`` is there, is not empty and is not too large for memory.

    Args:
        src: a path, bytes or a binary file object. A file object that cannot seek is read to its end.

    Raises:
        SourceError: it is missing, a folder, not a regular file, not permitted, empty, or a text stream.
        LimitError: bytes, or a file object that cannot seek, of more than ``limits.max_bytes``.

    >>> open_source(b"GIF89a").size
    6
    """
    name = item_name(src)
    if isinstance(src, (str, os.PathLike)):
        return _open_path(src, name)
    if isinstance(src, (bytes, bytearray, memoryview)):
        with decoding(name, "bytes"):
            if memoryview(src).nbytes > limits.max_bytes:
                raise _too_large(name, limits)
            whole = src.tobytes() if isinstance(src, memoryview) and not src.contiguous else src
            return _from_stream(io.BytesIO(whole), name)
    if hasattr(src, "read"):
        with decoding(name, "file object"):
            return _from_stream(_seekable(cast("IO[bytes]", src), name, limits), name)
    raise SourceError(name, "this is not a file", "pass a path, bytes or a binary file object")


def _open_path(src: str | os.PathLike[str], name: str) -> Opened:
    try:
        path = os.fsdecode(src)
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            raise SourceError(name, "this is a folder", "pass its files one by one")
        if not stat.S_ISREG(found.st_mode):
            raise SourceError(name, "this is not a regular file", "read it and pass the bytes")
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except Error:
        raise
    except FileNotFoundError:
        where = "download it first" if "://" in name else "check the path"
        raise SourceError(name, "there is no such file", where) from None
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(name, f"cannot open the file: {reason}", "check the path") from error
    if not head:
        raise SourceError(name, "the file is empty")
    return Opened(name, found.st_size, head, path=os.path.abspath(path))


def _from_stream(stream: BinaryIO, name: str) -> Opened:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(_HEAD)
    if not isinstance(head, bytes):
        raise SourceError(name, "the file object returns text", "open it in binary mode: open(path, 'rb')")
    if not head:
        raise SourceError(name, "it holds no bytes")
    stream.seek(0)
    return Opened(name, size, head, stream=stream)


def _seekable(file: IO[bytes], name: str, limits: Limits) -> BinaryIO:
    """The file object itself if it can seek; else a stream of all its bytes."""
    if isinstance(cast(object, file), io.TextIOBase):
        raise SourceError(name, "the file object returns text", "open it in binary mode: open(path, 'rb')")
    try:
        seekable = file.seekable()
    except AttributeError:
        seekable = hasattr(file, "seek") and hasattr(file, "tell")
    if seekable:
        return cast(BinaryIO, file)
    whole = io.BytesIO()
    while block := file.read(1 << 20):
        if not isinstance(block, (bytes, bytearray, memoryview)):
            raise SourceError(
                name, "the file object returns text", "open it in binary mode: open(path, 'rb')"
            )
        if whole.tell() + len(block) > limits.max_bytes:
            raise _too_large(name, limits)
        whole.write(block)
    return whole


def _too_large(name: str, limits: Limits) -> LimitError:
    return LimitError(
        name, f"it has more than {limits.max_bytes} bytes", "raise Limits.max_bytes, or pass a path"
    )
