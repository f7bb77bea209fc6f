"""Files of stores that fsspec knows: ``s3://``, ``gs://``, ``https://`` and others."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from bindrt.errors import Error, SourceError
from bindrt.extras import install
from bindrt.sources.locations import is_data, is_file_uri, is_uri

Result = TypeVar("Result")
#: Seconds to wait before each further try.
_WAITS = (0.2, 1.0, 3.0)
#: Bytes that are read ahead of a reader that goes from a file's beginning to its end.
_AHEAD = 8 << 20


def is_remote(place: str) -> bool:
    """Whether a text is a URL of another machine's file.

    >>> is_remote("s3://photos/a.parquet"), is_remote("photos/a.parquet")
    (True, False)
    """
    return is_uri(place) and not is_file_uri(place) and not is_data(place)


@contextmanager
def open_remote(place: str) -> Iterator[Any]:
    """The file behind a URL, open for reading: what is asked for is fetched, and some of what follows it.

    A read that fails is tried again from where it began.

    Raises:
        SourceError: it cannot be opened.
        Error: fsspec, or its package for that store, is not installed.
    """
    filesystem, path = _of(place)
    options = {"block_size": _AHEAD, "cache_type": "readahead"}
    try:
        file = again(lambda: filesystem.open(path, "rb", **options))
    except TypeError:  # a store without such options
        file = again(lambda: filesystem.open(path, "rb"))
    except FileNotFoundError:
        raise SourceError(place, "there is no such file", "check the URL") from None
    except Exception as error:
        raise _cannot_open(place, error) from error
    with file:
        yield io.BufferedReader(_Trying(file))


def remote_files(place: str) -> list[str]:
    """The URLs of a file, or of all files below a folder of a store, sorted.

    Raises:
        SourceError: there is neither.
        Error: as :func:`open_remote`.
    """
    filesystem, path = _of(place)
    try:
        if again(lambda: filesystem.isfile(path)):
            return [place]
        found = again(lambda: filesystem.find(path))
    except Exception as error:
        raise _cannot_open(place, error) from error
    if not found:
        raise SourceError(place, "there is no such file", "check the URL")
    return sorted(filesystem.unstrip_protocol(name) for name in found)


class _Trying(io.RawIOBase):
    """A file of a store, of which a read that fails is tried again."""

    def __init__(self, file: Any) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset, whence = self._at + offset, io.SEEK_SET
        self._at = int(again(lambda: self._file.seek(offset, whence)))
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = again(lambda: self._read(len(buffer)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _read(self, count: int) -> bytes:
        if self._file.tell() != self._at:  # where a read that failed has left it
            self._file.seek(self._at)
        return bytes(self._file.read(count))


def again(work: Callable[[], Result]) -> Result:
    """Does what may fail for a moment, some times; the last failure is the caller's."""
    for wait in _WAITS:
        try:
            return work()
        except (FileNotFoundError, PermissionError, NotImplementedError, TypeError, ImportError):
            raise
        except Exception:
            time.sleep(wait)
    return work()


def _of(place: str) -> tuple[Any, str]:
    if "::" in place:
        raise SourceError(place, "chained URLs are not opened", "give the URL of the file itself")
    try:
        import fsspec  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise Error(place, "a URL needs the package fsspec", install("remote")) from None
    try:
        filesystem, path = fsspec.core.url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise SourceError(place, str(error), "install its package, or download the files first") from error
    return filesystem, path


def _cannot_open(place: str, error: Exception) -> SourceError:
    return SourceError(place, f"cannot open the URL: {str(error) or type(error).__name__}", "check the URL")
