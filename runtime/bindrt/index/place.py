"""Where an index is written: in a folder beside its place, which then takes the place in one step."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bindrt.errors import OptionError
from bindrt.locks import one_after_the_other

HEADER, VECTORS, SCALES, ROWS, GRAPH = (
    "index.json",
    "vectors.npy",
    "scales.npy",
    "rows.parquet",
    "graph.usearch",
)
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_HERE = -100  # AT_FDCWD


def check_place(path: Path, item: str) -> None:
    """Raises OptionError if there is something at ``path`` that is not an index; the error names ``item``."""
    if os.path.lexists(path) and not (path / HEADER).is_file():
        raise OptionError(item, "it exists and is not an index", "choose another place")


@contextmanager
def staging_for(path: Path) -> Iterator[Path]:
    """An empty folder that takes the place of ``path`` when the block ends without an error.

    Another process or thread that writes there waits. What a killed one has left is removed.

    Raises:
        OptionError: ``path``, or the folder beside it, is something else than an index.
    """
    check_place(path, str(path))
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.new")
    with one_after_the_other(path.with_name(f".{path.name}.saving")):
        check_place(path, str(path))  # nobody has put something there while we waited
        for left in [staging, *_left_by_earlier_versions(path)]:
            _refuse_strangers(left)
            shutil.rmtree(left, ignore_errors=True)
        staging.mkdir()
        try:
            yield staging
            for file in staging.iterdir():
                _flush(file)
            _move(staging, path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _left_by_earlier_versions(path: Path) -> list[Path]:
    """Folders that a killed save has left under another name than today's."""
    names = re.compile(re.escape(path.name) + r"\.(new|old)\.\d+")
    return [file for file in path.parent.iterdir() if names.fullmatch(file.name)]


def _refuse_strangers(staging: Path) -> None:
    """Never clear a folder that no index was written to."""
    known = {HEADER, VECTORS, SCALES, ROWS, GRAPH}
    if os.path.lexists(staging) and (
        staging.is_symlink() or not staging.is_dir() or {file.name for file in staging.iterdir()} - known
    ):
        raise OptionError(
            str(staging), "an index is written there, and it holds something else", "move it away"
        )


def _flush(path: Path) -> None:
    """Waits until a file is on the disk, lest a power cut leaves an index of empty files."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _move(staging: Path, path: Path) -> None:
    """Puts a folder in its place; an index that was there is in ``staging`` afterwards."""
    if not path.exists():
        os.rename(staging, path)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    exchange = getattr(libc, "renameat2", None)
    if exchange is not None:
        done = exchange(_HERE, os.fsencode(staging), _HERE, os.fsencode(path), _EXCHANGE)
        if done == 0:
            return
        if ctypes.get_errno() not in (errno.ENOSYS, errno.EINVAL):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
    old = path.with_name(f".{path.name}.old")  # a file system that cannot exchange two folders
    shutil.rmtree(old, ignore_errors=True)
    os.rename(path, old)
    os.rename(staging, path)
    os.rename(old, staging)
