"""The memory of a mapped file: what was read of it stays resident until somebody gives it back."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

_MAPS = Path("/proc/self/maps")
#: Giving back takes a moment, and what is still used is read again; so not for each tensor.
_EVERY = 256 << 20


class MappedPages:
    """The pages of a file that this process has mapped and only reads.

    A checkpoint is read from its beginning to its end more than once, a tensor at a time. Without this the
    whole file is in memory at the end, beside everything else.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.realpath(path)
        self._read = 0

    def used(self, size: int) -> None:
        """Call with the bytes of a tensor before it is read. What was read before may then leave memory.

        Tensors that are still in use stay what they are: their pages come from the file again.
        """
        self._read += size
        if self._read >= _EVERY:
            self._read = 0
            self.give_back()

    def give_back(self) -> None:
        """Lets all of the pages go. Where the system does not tell what is mapped, this does nothing."""
        library = ctypes.CDLL(None)
        for start, end in self._ranges():
            library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """Where the file is mapped. A line is: first-end rights offset device inode path."""
        try:
            lines = _MAPS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            return
        for line in lines:
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and fields[5] == self._path:
                start, _, end = fields[0].partition("-")
                yield int(start, 16), int(end, 16)
