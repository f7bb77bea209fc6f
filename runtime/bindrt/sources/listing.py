"""The files of a place: a folder, an archive, or a folder of a store."""

from __future__ import annotations

import os
from collections.abc import Iterator

from bindrt.sources.archives import is_archive, members
from bindrt.sources.folders import files_below
from bindrt.sources.remote import is_remote, remote_files


def is_place(src: object) -> bool:
    """Whether ``src`` is a place that has files: the path or URL of an archive, the path of a folder, or a
    URL that ends in ``/``.

    >>> is_place("s3://photos/"), is_place("none.jpg"), is_place(["a.jpg"])
    (True, False, False)
    """
    if not isinstance(src, (str, os.PathLike)):
        return False
    path = os.fsdecode(src)
    if is_remote(path):
        return path.endswith("/") or is_archive(path)
    return os.path.isdir(path) or is_archive(path)


def files_of(place: str, links: bool = False) -> Iterator[tuple[str, str]]:
    """The files of a place in order: what to open, and its name below the place. Hidden ones are left out.

    Args:
        links: as for :func:`bindrt.sources.folders.files_below`.

    Raises:
        SourceError: an archive cannot be read, or a store has no such folder.
    """
    if is_remote(place) and place.endswith("/"):
        for url in remote_files(place):
            if not _is_hidden(inside := url.removeprefix(place)):
                yield url, inside
    elif os.path.isdir(place):
        for name in files_below(place, links):
            yield name, os.path.relpath(name, place)
    else:
        for inside in members(place):
            if not _is_hidden(inside):
                yield f"{place}/{inside}", inside


def _is_hidden(name: str) -> bool:
    """Whether a name, or a folder in it, begins with a dot, or is what a Mac adds to archives."""
    parts = name.split("/")
    return any((part[:1] == "." and part not in (".", "..")) or part == "__MACOSX" for part in parts)
