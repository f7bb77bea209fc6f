"""The user's cache folder: what bindrt measured or compiled on this machine. Without it only time is lost."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

MAX_RECORD_BYTES = 1 << 16


def cache_folder(part: str = "") -> Path | None:
    """A folder in ``$XDG_CACHE_HOME/bindrt`` or ``~/.cache/bindrt``, made if it is missing.

    None if it cannot be made, read or written, for example because a file stands there.
    """
    root = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The XDG standard says that a relative path must be ignored.
        folder = (Path(root) if os.path.isabs(root) else Path.home() / ".cache") / "bindrt" / part
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError, ValueError):  # RuntimeError: the user has no home folder
        return None
    return folder if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else None


def read_record(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if the file is missing or damaged."""
    try:
        found = json.loads(read_kept(path, MAX_RECORD_BYTES))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def read_kept(path: Path, most: int = -1) -> bytes:
    """The contents of a file of the cache, up to ``most`` bytes; empty if it cannot be read."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return b""
        with open(path, "rb") as file:
            return file.read(most)
    except OSError:
        return b""


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Writes what :func:`read_record` reads, as :func:`keep` does."""
    keep(path, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())


def keep(path: Path, content: bytes) -> None:
    """Writes a file of the cache, or does nothing if that fails.

    The file is written under another name and then moved, since several processes may write it at once.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
