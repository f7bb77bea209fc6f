"""The samples of a signal that a window can still need."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.arrays import Array


class SampleBuffer:
    """Samples ``[rows, N]`` by their place in the signal; appended at the end, forgotten at the beginning.

    Attributes:
        begin, end: the places of the first sample that is kept, and after the last.
    """

    def __init__(self, rows: int, dtype: npt.DTypeLike) -> None:
        self._data: npt.NDArray[Any] = np.empty((rows, 1024), dtype)
        self._base = 0  # the place of the data's first column
        self.begin = 0
        self.end = 0

    def append(self, block: Array) -> None:
        self._room(block.shape[1])[...] = block

    def append_zeros(self, count: int) -> None:
        self._room(count)[...] = 0

    def view(self, start: int, stop: int) -> Array:
        """``[rows, stop - start]``, valid until the next ``append``."""
        return self._data[:, start - self._base : stop - self._base]

    def forget_before(self, place: int) -> None:
        self.begin = max(self.begin, min(place, self.end))

    def truncate(self, place: int) -> None:
        """Forget what is at ``place`` and after it."""
        self.end = place

    def clear(self, place: int = 0) -> None:
        """Forget everything; what is appended next is at ``place``."""
        self._base = self.begin = self.end = place

    def _room(self, count: int) -> Array:
        """The next ``count`` columns; what is still needed moves to the front when the end is reached."""
        used = self.end - self._base
        if used + count > self._data.shape[1]:
            kept = self._data[:, self.begin - self._base : used]
            size = max(2 * (kept.shape[1] + count), 1024)
            data = self._data if self._fits(size, kept.shape[1]) else np.empty((len(kept), size), kept.dtype)
            data[:, : kept.shape[1]] = kept
            self._data, self._base = data, self.begin
            used = kept.shape[1]
        self.end += count
        return self._data[:, used : used + count]

    def _fits(self, size: int, kept: int) -> bool:
        """Whether the array in hand may be used on: large enough, not far too large, and nothing overlaps."""
        columns = int(self._data.shape[1])
        return size <= columns <= 4 * size and 2 * kept <= columns
