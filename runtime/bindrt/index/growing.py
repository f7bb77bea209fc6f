"""A NumPy array that grows at its end; adding one row at a time costs no more than adding all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Growing:
    """Rows of one shape and dtype, with spare memory behind them.

    >>> numbers = Growing((), np.int64)
    >>> numbers.extend([3, 4]); numbers.extend([5])
    >>> numbers.rows().tolist()
    [3, 4, 5]
    """

    def __init__(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        """No rows yet; ``shape`` is that of one row."""
        self._held = np.empty((0, *shape), dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def rows(self) -> npt.NDArray[Any]:
        """The rows, to read and to change in place; valid until the next :meth:`extend`."""
        return self._held[: self._count]

    def extend(self, rows: npt.ArrayLike) -> None:
        added = np.asarray(rows, self._held.dtype)
        needed = self._count + len(added)
        if needed > len(self._held):
            larger = np.empty((max(needed, 2 * len(self._held)), *self._held.shape[1:]), self._held.dtype)
            larger[: self._count] = self.rows()
            self._held = larger
        self._held[self._count : needed] = added
        self._count = needed

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drops the rows whose ``mask`` is False."""
        self._held = self.rows()[mask]
        self._count = len(self._held)
