"""Files kept open, so that a change of what was checked or mapped is noticed."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from pathlib import Path

from bindrt.errors import EngineError


class HeldFile:
    """A file as it is now. While its descriptor is open, no other file can take its place unnoticed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        # Not at the end of the process, where threads may still use it.
        weakref.finalize(self, os.close, self._descriptor).atexit = False
        self._was = self._state()

    def changed(self) -> bool:
        """Whether it was cut, extended or written to."""
        return self._state() != self._was

    def replaced(self, path: Path) -> bool:
        """Whether another file stands at a path, or this one was changed."""
        found = os.stat(path)
        held = os.fstat(self._descriptor)
        return (found.st_dev, found.st_ino) != (held.st_dev, held.st_ino) or self.changed()

    def _state(self) -> tuple[int, int]:
        found = os.fstat(self._descriptor)
        return found.st_size, found.st_mtime_ns


class MappedFiles:
    """Files that an engine has mapped: to read behind the end of one that was cut ends the process."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._files = [HeldFile(path) for path in paths]

    def require_unchanged(self) -> None:
        """Raises EngineError if a file was cut or written to since it was opened."""
        for file in self._files:
            if file.changed():
                raise EngineError(
                    file.path.name,
                    "the file was changed while it was in use",
                    "restore the bundle and load it again; replace files by renaming, do not write into them",
                )
