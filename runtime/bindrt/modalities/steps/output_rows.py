"""Where a prepared item goes: an array of its own, or rows of a batch, so that nothing is copied."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bindrt.arrays import Array

#: Gives the rows ``[rows, view]`` of a batch to write to; called again with the same number the same ones.
#: To be called late: the batch waits until the item is done.
Reserve = Callable[[int], Array]


def rows_for(reserve: Reserve | None, rows: int, view: tuple[int, ...]) -> Array:
    """Float32 ``[rows, *view]`` to write to."""
    return np.empty((rows, *view), np.float32) if reserve is None else reserve(rows)


def row_for(reserve: Reserve | None) -> Array | None:
    """The one row of an item that is one view; None: the kernel makes an array."""
    return None if reserve is None else reserve(1)[0]
