"""Queries: vectors, or a weighted sum of vectors of several modalities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.arrays import is_array, to_numpy
from bindrt.embeddings import Embeddings, Vectors, unit_rows
from bindrt.embeddings.vectors import Weights, require_embedded, summed, weights_of
from bindrt.errors import InputError

_AT_ONCE = 1 << 14  # rows that are scaled at once; it bounds the memory beside theirs


def combine(embeddings: Embeddings, weights: Weights | None = None) -> Vectors:
    """One query from several items: the sum of their unit vectors, each times its weight.

    ImageBind's space allows this: an image plus a sound finds images that have both.

    Args:
        embeddings: one or more modalities, each with one or more items.
        weights: by modality: one number for all its items, or a list with one for each. A negative weight
            steers away from an item. The default is 1.

    Returns:
        float32 ``[D]`` of unit length.

    Raises:
        OptionError: a weight is not a number, or its modality was not embedded.
        InputError: nothing was embedded, an item failed, or the sum is zero.

    >>> rows = np.eye(2, dtype=np.float32)
    >>> both = Embeddings({"image": rows[:1], "audio": rows[1:]}, space="example", normalized=True)
    >>> [round(float(value), 3) for value in combine(both, {"audio": 2.0})]
    [0.447, 0.894]
    """
    weights = weights or {}
    require_embedded(weights, embeddings)
    parts = [
        weights_of(modality, weights, len(rows)) @ unit_rows(_finite(modality, rows)).astype(np.float64)
        for modality, rows in embeddings.items()
        if len(rows)
    ]
    if not parts:
        raise InputError("the query", "nothing was embedded", "give at least one item")
    total: Vectors = summed([part[None] for part in parts], "the query")[0]
    return total


def _finite(modality: str, rows: Vectors) -> Vectors:
    if not np.isfinite(rows).all():
        raise InputError(modality, "an item failed, so it has no vector", "see Embeddings.errors")
    return rows


def as_queries(query: object, dim: int) -> Vectors:
    """A query as rows of unit length ``[Q, D]``: those of an array, or of the one modality in ``Embeddings``.

    Raises:
        InputError: it is something else, or has another shape or dtype, or no direction.
    """
    return as_rows(query, dim, "the query", single=True)


def as_rows(vectors: object, dim: int, name: str, single: bool = False) -> Vectors:
    """Vectors as float32 ``[N, D]`` of unit length; see :func:`as_queries`.

    Args:
        name: what they are, for errors.
        single: one vector ``[D]`` is allowed too.
    """
    if isinstance(vectors, Embeddings):
        if len(vectors) != 1:
            remedy = "combine(…) makes one query from them" if single else "add each by itself, e[modality]"
            raise InputError(name, f"{len(vectors)} modalities were embedded", remedy)
        rows: npt.NDArray[Any] = next(iter(vectors.values()))
    else:
        rows = _as_array(vectors, name)
        rows = rows[None] if single and rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.shape[1] != dim:
        raise InputError(
            name,
            f"the shape is {list(rows.shape)}",
            f"vectors of this index are [N, {dim}]; model.embed(…) makes them",
        )
    if rows.dtype.kind != "f":
        raise InputError(name, f"the dtype is {rows.dtype}", "vectors must be floats")
    return _with_direction(rows, name)


def _as_array(vectors: object, name: str) -> npt.NDArray[np.generic]:
    """Vectors that a caller gave, as an array."""
    what = "embed it first, for example model.embed(text=…)"
    if is_array(vectors):
        return to_numpy(vectors, name)
    if not isinstance(vectors, Sequence) or isinstance(vectors, (str, bytes, bytearray)):
        raise InputError(name, f"{type(vectors).__name__} is not a vector", what)
    try:
        return np.asarray([to_numpy(v) if is_array(v) else v for v in vectors])
    except (ValueError, TypeError):  # rows of different lengths
        raise InputError(name, "its rows have different lengths", what) from None


def _with_direction(rows: npt.NDArray[np.floating[Any]], name: str) -> Vectors:
    """Rows scaled to unit length.

    Raises:
        InputError: a value is not finite, or a row is zero.
    """
    found = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        finite = np.isfinite(part).all(axis=1)
        good = finite & part.any(axis=1)
        if not good.all():
            row = int(np.argmin(good))
            problem = ("it is zero", "a vector needs a direction")
            if not finite[row]:
                problem = ("it is not finite", "leave out items that failed")
            raise InputError(f"{name}, row {start + row}", *problem)
        found[start : start + _AT_ONCE] = unit_rows(part)
    return found
