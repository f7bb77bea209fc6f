"""Which kind of container a path is."""

from __future__ import annotations

import os
from pathlib import Path

from bindrt.errors import SourceError
from bindrt.recordings.containers import bag_file, mcap_file
from bindrt.recordings.containers.bag_file import BagFile
from bindrt.recordings.containers.bag_folder import SqliteBag, is_bag_folder, open_folder
from bindrt.recordings.containers.container import Container
from bindrt.recordings.containers.mcap_file import McapFile
from bindrt.recordings.report import Report

_SQLITE = b"SQLite format 3\0"


def is_recording(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a recording, by its first bytes; a folder by its ``metadata.yaml``.

    A SQLite file is one if its name ends in ``.db3``.
    """
    place = Path(path)
    if place.is_dir():
        return is_bag_folder(place)
    head = _head(place)
    return head.startswith((mcap_file.MAGIC, bag_file.MAGIC)) or _is_sqlite_bag(place, head)


def open_container(path: str | os.PathLike[str], report: Report) -> Container:
    """Opens a recording.

    Raises:
        SourceError: it is missing, or no recording that bindrt reads.
        Error: the extra ``recordings`` is not installed.
    """
    place = Path(path)
    if not place.exists():
        raise SourceError(repr(str(place)), "it does not exist", "check the path")
    if place.is_dir():
        return open_folder(place, report)
    head = _head(place)
    if head.startswith(mcap_file.MAGIC):
        return McapFile(place, report)
    if head.startswith(bag_file.MAGIC):
        return BagFile(place, report)
    if _is_sqlite_bag(place, head):
        return SqliteBag(place, report)
    raise SourceError(
        repr(str(place)),
        "it is empty" if not head else "it is no recording",
        "give a .mcap, .bag or .db3 file, or the folder that ros2 bag record made",
    )


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(len(_SQLITE))
    except OSError:
        return b""


def _is_sqlite_bag(path: Path, head: bytes) -> bool:
    return path.suffix == ".db3" and head == _SQLITE
