"""Files of stores that fsspec knows: ``s3://``, ``gs://``, ``https://`` and others."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from bindrt.errors import Error, SourceError
from bindrt.extras import install
from bindrt.limits import Limits
from bindrt.sources.locations import is_data, is_file_uri, is_uri

Result = TypeVar("Result")
#: Seconds to wait before each further try.
_WAITS = (0.2, 1.0, 3.0)
#: What fails in the same way however often it is tried.
_FOR_GOOD = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    NotImplementedError,
    TypeError,
    ValueError,
    ImportError,
    Error,
)
#: Modules whose errors say what a web server, or the way to it, has refused.
_OF_HTTP = ("aiohttp", "asyncio", "fsspec")
#: How libraries of stores say that there are no keys for one.
_WITHOUT_KEYS = ("NoCredentialsError", "DefaultCredentialsError")
#: Files of items up to this size are fetched whole; of larger ones, what a decoder asks for.
_WHOLE = 64 << 20
#: Bytes that are read ahead of a reader that goes from a file's beginning to its end.
_AHEAD = 8 << 20


def is_remote(place: str) -> bool:
    """Whether a text is a URL of another machine's file.

    >>> is_remote("s3://photos/a.parquet"), is_remote("photos/a.parquet")
    (True, False)
    """
    return is_uri(place) and not is_file_uri(place) and not is_data(place)


@contextmanager
def open_remote(place: str, ahead: int = _AHEAD) -> Iterator[Any]:
    """The file behind a URL, open for reading: what is asked for is fetched, and some of what follows it.

    A read that fails is tried again from where it began.

    Args:
        ahead: bytes that are fetched behind what is asked for.

    Raises:
        SourceError: it cannot be opened.
        Error: fsspec, or its package for that store, is not installed.
    """
    file = _open(place, {"block_size": ahead, "cache_type": "readahead"})
    with file:
        yield io.BufferedReader(_Trying(file))


def open_url(place: str, name: str, limits: Limits) -> Any:
    """The file of one item behind a URL as a file object, or its bytes if it is small.

    What fails for a moment is tried again: opening, and reading.

    Raises:
        SourceError: it cannot be opened.
        Error: fsspec, or its package for that store, is not installed.
    """
    file = _open(place, {}, name)
    if not 0 <= (getattr(file, "size", None) or -1) <= min(_WHOLE, limits.max_bytes):
        return io.BufferedReader(_Trying(file)) if file.seekable() else file
    with file:
        try:
            return _Trying(file).whole()
        except Exception as error:
            raise _cannot_open(name, error) from error


def state_of_url(place: str) -> tuple[str, int]:
    """What changes when the file behind a URL does, and its bytes.

    Raises:
        SourceError: it cannot be asked for.
        Error: as :func:`open_remote`.
    """
    filesystem, path = filesystem_of(place)
    try:
        info = again(lambda: filesystem.info(path))
    except Exception as error:
        raise _cannot_open(place, error) from error
    told = {
        name: str(info[name]) for name in ("ETag", "etag", "LastModified", "mtime", "created") if name in info
    }
    return str(told), int(info.get("size") or 0)


def remote_files(place: str) -> list[str]:
    """The URLs of a file, or of all files below a folder of a store, sorted.

    Raises:
        SourceError: there is neither.
        Error: as :func:`open_remote`.
    """
    filesystem, path = filesystem_of(place)
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

    def whole(self) -> bytes:
        """All of the file."""
        return again(lambda: self._read(-1))

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _read(self, count: int) -> bytes:
        if self._file.tell() != self._at:  # where a read that failed has left it
            self._file.seek(self._at)
        return bytes(self._file.read(count))


def again(work: Callable[[], Result]) -> Result:
    """Does what may fail for a moment, some times; the last failure is the caller's."""
    for wait in _WAITS:
        try:
            return work()
        except Exception as error:
            if _is_for_good(error):
                raise
            time.sleep(wait)
    return work()


def _reason(error: BaseException) -> BaseException:
    """Why a store says that it has no such file: fsspec says so of all that a web server refuses."""
    cause = error.__cause__
    is_of_http = type(cause).__module__.startswith(_OF_HTTP) or isinstance(cause, TimeoutError)
    return cause if isinstance(error, FileNotFoundError) and cause is not None and is_of_http else error


def _is_for_good(failed: Exception) -> bool:
    """Whether another try would fail in the same way."""
    error = _reason(failed)
    status = getattr(error, "status", None)  # of HTTP: 4xx but "too slow", "too early", "too many"
    if isinstance(status, int) and 400 <= status < 500:
        return status not in (408, 425, 429)
    return isinstance(error, _FOR_GOOD) or type(error).__name__ in _WITHOUT_KEYS


def _open(place: str, options: dict[str, Any], name: str | None = None) -> Any:
    """The store's own file object."""
    name = place if name is None else name
    filesystem, path = filesystem_of(place, name)
    try:
        try:
            return again(lambda: filesystem.open(path, "rb", **options))
        except TypeError:  # a store without such options
            return again(lambda: filesystem.open(path, "rb"))
    except ImportError as error:
        raise _no_package(name, error) from error
    except Exception as error:
        raise _cannot_open(name, error) from error


def filesystem_of(place: str, name: str | None = None) -> tuple[Any, str]:
    """The store of a URL, as fsspec has it, and the path in it.

    Args:
        name: of the item in errors; None: the URL.

    Raises:
        SourceError: it is no URL of one file, or the package of its store is missing.
        Error: fsspec is not installed.
    """
    name = place if name is None else name
    if "::" in place:
        raise SourceError(name, "chained URLs are not opened", "open it with fsspec and pass the file object")
    try:
        import fsspec  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        remedy = f"{install('remote')}, or download it first"
        raise Error(name, "a URL needs the package fsspec", remedy) from None
    try:
        filesystem, path = fsspec.core.url_to_fs(place)
    except ImportError as error:
        raise _no_package(name, error) from error
    except Exception as error:
        raise _cannot_open(name, error) from error
    return filesystem, path


def _no_package(name: str, error: ImportError) -> SourceError:
    return SourceError(name, str(error), "install it, or download the file first")


def _cannot_open(name: str, failed: Exception) -> SourceError:
    error = _reason(failed)
    if isinstance(error, FileNotFoundError) or getattr(error, "status", None) in (404, 410):
        return SourceError(name, "there is no such file", "check the URL")
    return SourceError(name, f"cannot open the URL: {str(error) or type(error).__name__}", "check the URL")
