"""From paths, bytes and file objects to something that a decoder can open."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from bindrt.arrays import item_name
from bindrt.errors import Error, LimitError, SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.locations import at_home, data_bytes, file_path, is_data, is_file_uri, is_uri
from bindrt.sources.remote import open_url
from bindrt.sources.streams import is_file_object, own_stream

#: So many of a file's first bytes are looked at to know its format.
HEAD = 4096

#: Where a URL may go through an archive.
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|gz)/", re.IGNORECASE)
#: The remedy for a file that ends too early.
IF_CUT = "is it complete?"
#: How decoders say that a file ends too early.
_MISSING = re.compile(
    r"truncat|incomplete|premature|end of (file|stream|data)|\beof|too short|missing|not a zip file|"
    r"broken data stream|not enough|moov atom|invalid data found",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Opened:
    """A source that a decoder can open: the ``path`` of a regular file, or a ``stream`` that can seek.

    Attributes:
        name: its name in errors.
        size: its length in bytes, at least 1.
        head: its first bytes, at most 4096.
        path: the absolute path; None for a stream.
        stream: the stream; None for a path.
        cuts: takes the errors for what is missing, if it is read up to a cut; None: they are raised.
    """

    name: str
    size: int
    head: bytes
    path: str | None = None
    stream: BinaryIO | None = None
    cuts: list[SourceError] | None = None

    def ends_early(self, problem: str) -> None:
        """The file is shorter than it says.

        Raises:
            SourceError: unless it is read up to the cut: then the error is kept in ``cuts``.
        """
        error = SourceError(self.name, problem, IF_CUT)
        if self.cuts is None:
            raise error
        self.cuts.append(error)

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
    return isinstance(src, (str, os.PathLike, bytes, bytearray, memoryview)) or is_file_object(src)


@contextlib.contextmanager
def decoding(name: str, what: str, remedy: str = "") -> Iterator[None]:
    """Turns whatever a decoder raises into a SourceError: ``<name>: cannot read the <what>: …``.

    Args:
        remedy: what to do. ``IF_CUT`` is told only where the decoder says that something is missing.

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
        told = "" if remedy == IF_CUT and not _MISSING.search(reason) else remedy
        raise SourceError(name, f"cannot read the {what}: {reason}", told) from error


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
        src: a path, also with ``~``; a ``file:`` or ``data:`` URI; a URL that fsspec opens; bytes; or a
            binary file object. One that cannot seek is read to its end; any other may serve several items.

    Raises:
        SourceError: it is missing, a folder, not a regular file, not permitted, empty, or a text stream.
        LimitError: bytes, or a file object that cannot seek, of more than ``limits.max_bytes``.

    >>> open_source(b"GIF89a").size
    6
    """
    name = item_name(src)
    if isinstance(src, (str, os.PathLike)):
        return _open_place(src, name, limits)
    if isinstance(src, (bytes, bytearray, memoryview)):
        with decoding(name, "bytes"):
            if memoryview(src).nbytes > limits.max_bytes:
                raise _too_large(name, limits)
            whole = src.tobytes() if isinstance(src, memoryview) and not src.contiguous else src
            return _from_stream(io.BytesIO(whole), name)
    if is_file_object(src):
        with decoding(name, "file object"):
            return _from_stream(own_stream(src, name, limits), name)
    raise SourceError(name, "this is not a file", "pass a path, bytes or a binary file object")


def _open_place(src: str | os.PathLike[str], name: str, limits: Limits) -> Opened:
    """A file by its path, or by a text that says where it is."""
    if not isinstance(src, str) or not is_uri(src):
        return _open_path(src, name, limits)
    if is_data(src):
        with decoding(name, "data: URI"):
            return _from_stream(io.BytesIO(data_bytes(src, name, limits)), name)
    if is_file_uri(src):
        return _open_path(file_path(src, name), name, limits)
    if (of_archive := _remote_member(src, name, limits)) is not None:
        return of_archive
    found = open_url(src, name, limits)
    with decoding(name, "URL"):
        stream = io.BytesIO(found) if isinstance(found, bytes) else own_stream(found, name, limits)
        return _from_stream(stream, name)


def _open_path(src: str | os.PathLike[str], name: str, limits: Limits) -> Opened:
    try:
        path = at_home(os.fsdecode(src))
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            raise SourceError(name, "this is a folder", "pass its files one by one")
        if not stat.S_ISREG(found.st_mode):
            raise SourceError(name, "this is not a regular file", "read it and pass the bytes")
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except Error:
        raise
    except FileNotFoundError:
        raise SourceError(name, "there is no such file", "check the path") from None
    except NotADirectoryError as error:
        return _open_member(path, name, limits, error)
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(name, f"cannot open the file: {reason}", "check the path") from error
    if not head:
        raise SourceError(name, "the file is empty")
    return Opened(name, found.st_size, head, path=os.path.abspath(path))


def _remote_member(url: str, name: str, limits: Limits) -> Opened | None:
    """A file in an archive behind a URL; None if the URL goes through none."""
    if _ARCHIVE.search(url) is None:
        return None
    from bindrt.sources.archives import members, read_member, split_member  # seldom, and it imports zipfile

    if (found := split_member(url)) is None:
        return None
    try:
        members(found[0])
    except SourceError:  # it may be a folder of that name
        return None
    with decoding(name, "file"):
        return _from_stream(io.BytesIO(read_member(*found, name, limits)), name)


def _open_member(path: str, name: str, limits: Limits, error: OSError) -> Opened:
    """A file in an archive, where the path goes through one."""
    from bindrt.sources.archives import read_member, split_member  # seldom, and it imports zipfile

    found = split_member(path)
    if found is None:
        raise SourceError(name, f"cannot open the file: {error.strerror}", "check the path") from error
    with decoding(name, "file"):
        return _from_stream(io.BytesIO(read_member(*found, name, limits)), name)


def _from_stream(stream: BinaryIO, name: str) -> Opened:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(HEAD)
    if not head:
        raise SourceError(name, "it holds no bytes")
    stream.seek(0)
    return Opened(name, size, head, stream=stream)


def _too_large(name: str, limits: Limits) -> LimitError:
    return LimitError(
        name, f"it has more than {limits.max_bytes} bytes", "raise Limits.max_bytes, or pass a path"
    )
