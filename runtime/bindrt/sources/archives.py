"""Files in zip, tar and tar.gz archives, where they are: ``photos.zip/holiday/bell.jpg`` is such a path.

The archive may be behind a URL: of a zip file only what is asked for is fetched.
"""

from __future__ import annotations

import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO, cast

from bindrt.errors import Error, LimitError, SourceError
from bindrt.limits import Limits
from bindrt.sources.gzipped import GzipFile, GzipStates
from bindrt.sources.remote import is_remote, open_remote, state_of_url
from bindrt.sources.tarheaders import Header

#: A compressed tar file's name ends so; those of other compressions cannot be read from any place on.
GZIPPED = (".tar.gz", ".tgz")
#: What an archive's name ends in.
SUFFIXES = (".zip", ".tar", *GZIPPED)
#: Bytes that are fetched ahead of an archive behind a URL: a zip file's list is at its end, a tar file's
#: headers are all through it.
_AHEAD_ZIP, _AHEAD_TAR = 64 << 10, 1 << 20
#: How a member may be held in a zip file.
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True)
class Member:
    """Where a file is in an archive.

    Attributes:
        at: its first byte; in a zip file that of its header, in a compressed tar file of what it unpacks to.
        length: bytes in the archive, or in what it unpacks to.
        size: bytes of the file itself.
        method, crc: of a zip file; None in a tar file.
        is_locked: it is encrypted.
    """

    at: int
    length: int
    size: int
    method: int | None = None
    crc: int = 0
    is_locked: bool = False


def is_archive(path: str) -> bool:
    """Whether a path or URL is an archive's.

    >>> is_archive("photos"), is_archive("none.zip")
    (False, False)
    """
    return path.lower().endswith(SUFFIXES) and (is_remote(path) or os.path.isfile(path))


def split_member(path: str) -> tuple[str, str] | None:
    """The archive and the name within it, of a path that goes through an archive; None for any other.

    >>> split_member("s3://bucket/photos.zip/holiday/bell.jpg")
    ('s3://bucket/photos.zip', 'holiday/bell.jpg')
    """
    parts = path.split("/")
    for count in range(1, len(parts)):
        archive = "/".join(parts[:count])
        if is_archive(archive):
            return archive, "/".join(parts[count:])
    return None


def members(archive: str) -> Mapping[str, Member]:
    """The files in an archive, by name, in its order.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        return _archive(*_state(archive))[0]
    except Error:
        raise
    except (OSError, ValueError, zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error) as error:
        raise SourceError(archive, f"the archive cannot be read ({error})", "is it complete?") from error


def is_member(path: str) -> bool:
    """Whether a path goes through an archive to a file that is there."""
    found = split_member(path)
    try:
        return found is not None and found[1] in members(found[0])
    except SourceError:
        return False


def read_member(archive: str, inside: str, name: str, limits: Limits) -> bytes:
    """The bytes of a file in an archive.

    Raises:
        SourceError: it is not there, damaged, encrypted, or compressed in a way that is not read.
        LimitError: it has more than ``limits.max_bytes``.
    """
    member = members(archive).get(inside)
    if member is None:
        raise SourceError(name, "there is no such file in the archive", "check the path")
    if member.size > limits.max_bytes:
        raise LimitError(name, f"it has more than {limits.max_bytes} bytes", "raise Limits.max_bytes")
    if member.is_locked or member.method not in (None, _STORED, _DEFLATED):
        how = "encrypted" if member.is_locked else "compressed in a way that is not read"
        raise SourceError(name, f"it is {how}", "unpack it first")
    with _opened(archive, name) as file:
        file.seek(member.at)
        if member.method is not None:
            header = file.read(30)
            file.seek(sum(struct.unpack_from("<HH", header.ljust(30, b"\0"), 26)), os.SEEK_CUR)
        data = file.read(member.length)
    if member.method == _DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, member.size + 1)
        except zlib.error as error:
            raise SourceError(name, f"it is damaged in the archive ({error})", "pack it again") from error
    if len(data) != member.size or (member.method is not None and zlib.crc32(data) != member.crc):
        raise SourceError(name, "it is damaged in the archive", "pack it again")
    return data


@contextmanager
def _opened(archive: str, name: str) -> Iterator[BinaryIO]:
    """An archive as bytes that members have places in."""
    with _raw(archive) as file:
        _, states = _archive(*_state(archive))
        if states is None:
            yield file
            return
        try:
            with GzipFile(file, states) as unpacked:
                yield cast(BinaryIO, unpacked)
        except (zlib.error, EOFError) as error:
            raise SourceError(name, f"it is damaged in the archive ({error})", "pack it again") from error


def _state(archive: str) -> tuple[str, str, int]:
    """What an archive is known by: its path, what changes when it does, its bytes."""
    if is_remote(archive):
        return (archive, *state_of_url(archive))
    found = os.stat(archive)
    return os.path.realpath(archive), str(found.st_mtime_ns), found.st_size


def _raw(archive: str) -> AbstractContextManager[Any]:
    """The file of an archive."""
    if is_remote(archive):
        return open_remote(archive, _AHEAD_ZIP if archive.lower().endswith(".zip") else _AHEAD_TAR)
    return open(archive, "rb")


@lru_cache(maxsize=8)
def _archive(archive: str, state: str, size: int) -> tuple[Mapping[str, Member], GzipStates | None]:
    """Read once for an archive as it is now, since each of its files asks for it."""
    if archive.lower().endswith(".zip"):
        with _raw(archive) as file, zipfile.ZipFile(file) as of_zip:
            return {info.filename: _of_zip(info) for info in of_zip.infolist() if not info.is_dir()}, None
    if not archive.lower().endswith(GZIPPED):
        with _raw(archive) as file:
            return _of_tar(file), None
    states = GzipStates(archive)
    with _raw(archive) as file, GzipFile(file, states) as unpacked:
        return _of_tar(cast(BinaryIO, unpacked)), states


def _of_tar(file: BinaryIO) -> Mapping[str, Member]:
    with tarfile.open(fileobj=file, mode="r:", tarinfo=Header) as archive:
        return {i.name: Member(i.offset_data, i.size, i.size) for i in archive if i.isreg()}


def _of_zip(info: zipfile.ZipInfo) -> Member:
    is_locked = bool(info.flag_bits & 1)
    return Member(
        info.header_offset, info.compress_size, info.file_size, info.compress_type, info.CRC, is_locked
    )
