"""``_core.Arrays``: memory is used again once an array is gone, and not before."""

from __future__ import annotations

import numpy as np
import pytest

from bindrt._core import Arrays


def test_memory_is_used_again() -> None:
    arrays = Arrays(1 << 20)
    first = arrays.make((2, 3, 500))
    assert (first.shape, first.dtype, first.flags.c_contiguous) == ((2, 3, 500), np.float32, True)
    place, part = first.ctypes.data, first[1]
    part[...] = 7
    del first
    other = arrays.make((3000,))
    assert other.ctypes.data != place
    other[...] = 0
    assert (part == 7).all()  # a part keeps the whole
    del part
    assert arrays.make((1, 2990)).ctypes.data == place


def test_arrays_outlive_what_made_them() -> None:
    array = Arrays(0).make((4, 4))
    array[...] = 1
    assert array.sum() == 16


@pytest.mark.parametrize("shape", [(-1,), (1 << 40, 1 << 40)])
def test_shapes_that_there_are_not(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no array of this shape"):
        Arrays(100).make(shape)


def test_nothing_is_an_array_too() -> None:
    assert Arrays(100).make((0, 3)).shape == (0, 3)
