"""One item or many: what callers give for a modality, as a list of items."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import Any

import numpy as np

from bindrt.arrays import is_array
from bindrt.errors import InputError

#: Dtypes of NumPy arrays whose elements are items: objects, texts of a fixed and of any length.
_ITEM_KINDS = "OUT"


def as_items(modality: str, value: object) -> list[object]:
    """The items of a list, an iterator or a column (NumPy, pandas, polars, pyarrow, datasets); or one item.

    An array of numbers is one item: an image, for example.

    Args:
        modality: what the items are, for errors.

    Raises:
        InputError: a table, a dict that is not an item, or an array of items with several axes.

    >>> as_items("image", np.array(["a.jpg", "b.jpg"]))
    ['a.jpg', 'b.jpg']
    """
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, (str, bytes, bytearray, memoryview, os.PathLike)) or hasattr(value, "read"):
        return [value]
    if is_dataclass(value):  # a wrapper
        return [value]
    if isinstance(value, np.ndarray):
        return _of_array(modality, value)
    if hasattr(value, "columns") or hasattr(value, "column_names"):
        whole = ", or bindrt.Imu(table)" if modality == "imu" else ""
        raise InputError(
            modality, f"a {type(value).__name__} is a table, not items", f"pass one of its columns{whole}"
        )
    if (column := _column(value)) is not None:
        return column
    if isinstance(value, Mapping) and not is_cell(value):
        raise InputError(modality, "a dict is not an item", "give one item or a list of items")
    if is_array(value) or isinstance(value, (Mapping, set, frozenset)) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def is_cell(value: object) -> bool:
    """Whether a dict is a cell of Hugging Face ``datasets``: a file, or a decoded sound."""
    return isinstance(value, Mapping) and (
        set(value) == {"bytes", "path"} or {"array", "sampling_rate"} <= set(value)
    )


def _of_array(modality: str, value: np.ndarray[Any, Any]) -> list[object]:
    if value.dtype.kind == "S":
        raise InputError(
            modality, "an array of bytes loses zeros at their ends", "pass a list of bytes or of paths"
        )
    if value.dtype.kind not in _ITEM_KINDS:
        return [value]
    if value.ndim > 1:
        raise InputError(modality, f"the array of items has shape {list(value.shape)}", "give one axis: [N]")
    return list(value.reshape(-1).tolist())


def _column(value: Any) -> list[object] | None:
    """The values of a column of another library; None for anything else."""
    for method in ("to_pylist", "to_list"):  # pyarrow; pandas and polars
        if callable(getattr(value, method, None)):
            return list(getattr(value, method)())
    if type(value).__module__.partition(".")[0] == "pandas":  # its arrays have neither
        return list(value)
    return None
