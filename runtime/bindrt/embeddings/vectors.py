"""Arithmetic of vectors: unit length, weighted sums, the largest scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from bindrt.by_modality import Vectors as Vectors
from bindrt.errors import InputError, OptionError
from bindrt.numeric import is_number

#: By modality: one number for all its items, or a list with one for each.
Weights = Mapping[str, Union[float, Sequence[float]]]

_LARGE = 1e15
_CANCELLED = 1e-6  # a sum of unit vectors that is shorter has no direction


def unit_rows(rows: npt.NDArray[np.floating[Any]]) -> Vectors:
    """Rows ``[N, D]`` divided by their L2 norm, as float32; a row of zeros stays as it is.

    >>> unit_rows(np.float32([[0, 4], [0, 0]])).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    if rows.size:
        largest = np.maximum(rows.max(axis=1, keepdims=True), -rows.min(axis=1, keepdims=True))
        extreme = (largest > _LARGE) | ((largest < 1 / _LARGE) & (largest > 0))
        if extreme.any():  # the squares of such values leave the range of float32
            rows = rows / np.where(extreme, largest, 1)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms == 0, 1, norms), dtype=np.float32)


def weights_of(modality: str, weights: Weights, count: int) -> npt.NDArray[np.float64]:
    """The weight of each item of a modality, ``[count]``.

    Raises:
        OptionError: a weight is not a number, or there are too few or too many.
    """
    weight: object = weights.get(modality, 1.0)
    each = weight.tolist() if isinstance(weight, np.ndarray) else weight
    each = [each] * count if is_number(each) else each
    if not isinstance(each, (list, tuple)) or len(each) != count or not all(is_number(w) for w in each):
        raise OptionError(
            f"weights: {modality!r}",
            f"{weight!r} is not a weight"[:200],
            f"give one number, or {count} of them",
        )
    return np.array(each, np.float64)


def require_embedded(weights: Weights, vectors: Mapping[str, Vectors]) -> None:
    """Raises OptionError for a weight of a modality that was not embedded."""
    for modality in weights:
        if modality not in vectors:
            there = ", ".join(vectors) or "nothing"
            raise OptionError(f"weights: {modality!r}", "was not embedded", f"embedded: {there}")


def summed(parts: Sequence[npt.NDArray[np.float64]], name: str) -> Vectors:
    """The sum of arrays ``[N, D]``, with rows of unit length; a row with NaN stays NaN.

    Raises:
        InputError: a row of the sum is zero; the error says ``name`` and which.
    """
    total = np.sum(parts, axis=0)
    lengths = np.linalg.norm(total, axis=1, keepdims=True)
    short = np.flatnonzero(lengths[:, 0] < _CANCELLED)
    if len(short):
        where = name if len(total) == 1 else f"{name}, row {short[0]}"
        raise InputError(where, "the weighted sum is zero", "give weights that do not cancel")
    return np.asarray(total / lengths, np.float32)


def top(values: Vectors, k: int | None) -> npt.NDArray[np.int64]:
    """Indices of the ``k`` largest values (None: all), the largest first; equal ones in order.

    >>> top(np.float32([1, 3, 2, 3]), 3).tolist()
    [1, 3, 2]
    """
    if k is not None and k < len(values):
        # The k-th largest value. All values above it are chosen, and the first of those that equal it.
        threshold = np.partition(values, len(values) - k)[len(values) - k]
        above = np.flatnonzero(values > threshold)
        equal = np.flatnonzero(values == threshold)[: k - len(above)]
        chosen = np.sort(np.concatenate([above, equal]))
    else:
        chosen = np.arange(len(values))
    return np.asarray(chosen[np.argsort(-values[chosen], kind="stable")], np.int64)
