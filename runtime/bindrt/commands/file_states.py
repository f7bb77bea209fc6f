"""What a file was like when it was embedded: a later run sees by it whether the file has changed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event

from bindrt.sources.locations import local_path

_BLOCK = 1 << 20


@dataclass(frozen=True)
class FileState:
    """Size in bytes, time of the last change in nanoseconds since 1970, and SHA-256 in hexadecimal.

    None: not known. What is not a regular file, such as a URL, has no state.
    """

    size: int | None = None
    modified_ns: int | None = None
    sha256: str | None = None

    def hashed(self, path: str, stop: Event | None = None) -> FileState:
        """With the hash of the file's content; without one if the file is gone by now, or ``stop`` is set."""
        digest = hashlib.sha256()
        try:
            with open(local_path(path) or path, "rb") as file:
                while block := file.read(_BLOCK):
                    if stop is not None and stop.is_set():
                        return self
                    digest.update(block)
        except (OSError, ValueError):
            return self
        return replace(self, sha256=digest.hexdigest())


def state_of(path: str) -> FileState | None:
    """Size and time of a regular file; None if there is none, and for what is not on this machine."""
    local = local_path(path)
    if local is None:
        return None
    try:
        found = os.stat(local)
    except (OSError, ValueError):
        return None
    return FileState(found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def has_changed(path: str, before: FileState, hash_before: Callable[[], str | None]) -> bool:
    """Whether the file at ``path`` has another content than ``before``; False if it is gone.

    Its content is read only if its size is the same and its time is not.

    Args:
        hash_before: the hash it had; None: not known.
    """
    now = state_of(path)
    if now is None or (now.size, now.modified_ns) == (before.size, before.modified_ns):
        return False
    return now.size != before.size or now.hashed(path).sha256 != hash_before()
