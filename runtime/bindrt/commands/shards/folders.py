"""Folders of parts, on this machine or in a store that fsspec knows; a file there is whole or not there."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit

import pyarrow as pa

from bindrt.errors import Error, OptionError
from bindrt.sources.locations import file_path, is_file_uri
from bindrt.sources.remote import again, filesystem_of, is_remote, open_remote

#: Stores whose files come into being whole, when their last byte is there. In others a file is moved.
_WHOLE = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "ocilake", "oss", "tos"}
#: Stores that nothing is written to.
_READ_ONLY = {"http", "https", "data", "github", "git", "zip", "tar", "libarchive", "reference"}


@dataclass(frozen=True)
class RemoteOutput:
    """An output behind a URL.

    >>> RemoteOutput("s3://bucket/vectors.parquet").suffix
    '.parquet'
    """

    url: str

    @property
    def suffix(self) -> str:
        return PurePosixPath(urlsplit(self.url).path).suffix if not self.url.endswith("/") else ""

    def __str__(self) -> str:
        return self.url


def output_place(text: str) -> Path | RemoteOutput:
    """What ``-o`` names: a path, or a URL."""
    if is_file_uri(text):
        return Path(file_path(text, f"-o {text}"))
    return RemoteOutput(text) if is_remote(text) else Path(text)


class Folder(Protocol):
    """A folder whose files are written whole."""

    def __str__(self) -> str: ...

    def names(self) -> list[str]:
        """Its files, sorted; none if it is not there."""

    def exists(self, name: str) -> bool: ...

    def opened(self, name: str) -> AbstractContextManager[Any]:
        """A file, as pyarrow reads it."""

    def writing(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Takes the content of a file, which is there once the block has ended well, and else is not."""

    def clean(self, beginning: str) -> None:
        """Removes what writers that were killed have left of files whose names begin so."""

    def remove(self, only_empty: bool = False) -> None:
        """Removes the folder.

        Args:
            only_empty: it stays if it has files.
        """


def folder_at(place: str) -> Folder:
    """The folder of a path or URL; it need not be there."""
    return StoreFolder(place.rstrip("/")) if is_remote(place) else LocalFolder(Path(place))


@dataclass(frozen=True)
class LocalFolder:
    """A folder on this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def names(self) -> list[str]:
        return sorted(entry.name for entry in self.path.iterdir()) if self.path.is_dir() else []

    def exists(self, name: str) -> bool:
        return (self.path / name).exists()

    @contextmanager
    def opened(self, name: str) -> Iterator[Any]:
        with pa.OSFile(str(self.path / name)) as file:
            yield file

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        self.path.mkdir(parents=True, exist_ok=True)
        beside = self.path / _unfinished(name)
        try:
            with open(beside, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path / name)
        finally:
            beside.unlink(missing_ok=True)

    def clean(self, beginning: str) -> None:
        for name in self.names():
            if _is_unfinished(name, beginning):
                (self.path / name).unlink(missing_ok=True)

    def remove(self, only_empty: bool = False) -> None:
        with suppress(OSError if only_empty else FileNotFoundError):
            self.path.rmdir() if only_empty else shutil.rmtree(self.path)


@dataclass(frozen=True)
class StoreFolder:
    """A folder of a store. What is written is a file on this machine first; sending it is tried again."""

    url: str

    def __str__(self) -> str:
        return self.url

    def require_writable(self) -> None:
        """Raises OptionError for a store that takes no files."""
        scheme = urlsplit(self.url).scheme.lower()
        if scheme in _READ_ONLY:
            problem = f"{scheme} takes no files"
            raise OptionError(f"-o {self.url}", problem, "give s3://, gs:// or another store, or a folder")

    def names(self) -> list[str]:
        filesystem, path = filesystem_of(self.url)
        with self._telling("list"):
            filesystem.invalidate_cache(path)  # workers elsewhere may have written
            try:
                found = again(lambda: filesystem.ls(path, detail=False))
            except FileNotFoundError:
                return []
        return sorted(PurePosixPath(name).name for name in found)

    def exists(self, name: str) -> bool:
        filesystem, path = filesystem_of(self.url)
        with self._telling("list"):
            return bool(again(lambda: filesystem.exists(f"{path}/{name}")))

    def opened(self, name: str) -> AbstractContextManager[Any]:
        return open_remote(f"{self.url}/{name}")

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        with tempfile.TemporaryDirectory(prefix="bindrt-") as here:
            content = os.path.join(here, "content")
            with open(content, "wb") as file:
                yield file
            with self._telling("write"):
                self._send(content, name)

    def clean(self, beginning: str) -> None:
        if self._is_whole:
            return
        filesystem, path = filesystem_of(self.url)
        for name in self.names():
            if _is_unfinished(name, beginning):
                with self._telling("write"):
                    filesystem.rm(f"{path}/{name}")

    def remove(self, only_empty: bool = False) -> None:
        if only_empty:  # in a store there are no empty folders to speak of
            return
        filesystem, path = filesystem_of(self.url)
        with self._telling("write"), suppress(FileNotFoundError):
            again(lambda: filesystem.rm(path, recursive=True))

    @property
    def _is_whole(self) -> bool:
        """Whether a file is there only once all of it has been sent."""
        return urlsplit(self.url).scheme.lower() in _WHOLE

    def _send(self, content: str, name: str) -> None:
        filesystem, path = filesystem_of(self.url)
        if self._is_whole:
            again(lambda: filesystem.put_file(content, f"{path}/{name}"))
            return
        beside = f"{path}/{_unfinished(name)}"
        again(lambda: filesystem.makedirs(path, exist_ok=True))
        again(lambda: filesystem.put_file(content, beside))
        again(lambda: filesystem.mv(beside, f"{path}/{name}"))

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except Error:
            raise
        except Exception as error:
            reason = str(error) or type(error).__name__
            remedy = "check the URL and its keys; finished parts are kept for --resume"
            raise Error(self.url, f"cannot {what} there: {reason[:400]}", remedy) from error


def _unfinished(name: str) -> str:
    """What a file is called until it is whole; no two writers have the same."""
    return f".{name}-{uuid.uuid4().hex[:12]}.new"


def _is_unfinished(name: str, beginning: str) -> bool:
    return name.startswith(f".{beginning}") and name.endswith(".new")
