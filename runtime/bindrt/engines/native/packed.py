"""Where packed weights are kept: ``packed/`` of the cache folder, the least recently used going first.

A file belongs to the user, as all that is in the cache. Without the folder, every start packs weights anew.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bindrt.cache import cache_folder

#: All files together have at most so many bytes, and leave so many free on their disk.
MOST_BYTES = 32 << 30
LEAST_FREE = 2 << 30
#: Seconds after which a file that nobody finished is removed.
ABANDONED = 3600.0


def packed_key(*depends: object) -> str:
    """A key of all that packed weights depend on."""
    return hashlib.sha256(json.dumps(depends).encode()).hexdigest()


def packed_file(key: str, needed: int) -> tuple[str, str]:
    """Where the weights of a key are, or may be written.

    Args:
        needed: bytes that they may take.

    Returns:
        The path, empty if there is no place for it, and then why.
    """
    folder = cache_folder("packed")
    if folder is None:
        return "", "the cache folder cannot be written"
    path = folder / f"{key}.packed"
    if path.exists():
        return str(path), ""
    remove_abandoned(folder)
    with suppress(OSError):
        if make_room(folder, needed):
            return str(path), ""
    return "", f"there is no room for {needed >> 20} MiB in {folder}"


def make_room(folder: Path, needed: int) -> bool:
    """Remove files, the least recently used first, until so many bytes fit; whether they do."""
    files = sorted(((p.stat(), p) for p in folder.glob("*.packed")), key=lambda each: each[0].st_mtime)
    total, free = sum(found.st_size for found, _ in files), shutil.disk_usage(folder).free
    if needed > MOST_BYTES or free + total < needed + LEAST_FREE:
        return False  # nothing is removed in vain
    for found, path in files:
        if total + needed <= MOST_BYTES and free >= needed + LEAST_FREE:
            break
        path.unlink(missing_ok=True)  # who has it mapped keeps it
        total -= found.st_size
        free += found.st_size
    return True


def remove_abandoned(folder: Path) -> None:
    """Remove what processes began and did not finish."""
    for path in folder.glob("*.packed.*.new"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED:
                path.unlink(missing_ok=True)


def bytes_of(files: Sequence[Path]) -> int:
    """Bytes of all files together."""
    return sum(path.stat().st_size for path in files)
