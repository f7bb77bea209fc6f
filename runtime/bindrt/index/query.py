"""Queries: vectors, or a weighted sum of vectors of several modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Embeddings, Vectors, unit_rows
from bindrt.errors import InputError, OptionError
from bindrt.numeric import is_number


def combine(embeddings: Embeddings, weights: Mapping[str, float | Sequence[float]] | None = None) -> Vectors:
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
    for modality in weights:
        if modality not in embeddings:
            there = ", ".join(embeddings) or "nothing"
            raise OptionError(f"weights: {modality!r}", "was not embedded", f"embedded: {there}")
    parts = [
        _factors(modality, weights.get(modality, 1.0), len(rows)) @ unit_rows(_finite(modality, rows))
        for modality, rows in embeddings.items()
        if len(rows)
    ]
    if not parts:
        raise InputError("the query", "nothing was embedded", "give at least one item")
    total = np.sum(parts, axis=0)
    length = float(np.linalg.norm(total))
    if length < 1e-6:
        raise InputError("the query", "the weighted sum is zero", "give weights that do not cancel")
    return np.asarray(total / length, np.float32)


def _factors(modality: str, weight: float | Sequence[float], count: int) -> npt.NDArray[np.float64]:
    each = [weight] * count if is_number(weight) else weight
    if not isinstance(each, (list, tuple)) or len(each) != count or not all(is_number(w) for w in each):
        raise OptionError(
            f"weights: {modality!r}", f"{weight!r} is not a weight", f"give one number, or {count} of them"
        )
    return np.array(each, np.float64)


def _finite(modality: str, rows: Vectors) -> Vectors:
    if not np.isfinite(rows).all():
        raise InputError(modality, "an item failed, so it has no vector", "see Embeddings.errors")
    return rows


def as_queries(query: Embeddings | Vectors, dim: int) -> Vectors:
    """A query as unit rows ``[Q, D]``: those of an array, or of the one modality in ``Embeddings``."""
    if isinstance(query, Embeddings):
        if len(query) != 1:
            raise InputError(
                "the query", f"{len(query)} modalities were embedded", "combine(…) makes one query from them"
            )
        (rows,) = query.values()
    else:
        rows = np.asarray(query)
        rows = rows[None] if rows.ndim == 1 else rows
    return unit_rows_of(rows, dim, "the query")


def unit_rows_of(rows: npt.NDArray[np.generic], dim: int, name: str) -> Vectors:
    """Vectors as float32 ``[N, D]`` of unit length.

    Raises:
        InputError: the shape or dtype is another, or a value is not finite.
    """
    if rows.ndim != 2 or rows.shape[1] != dim:
        raise InputError(name, f"the shape is {list(rows.shape)}", f"vectors of this index are [N, {dim}]")
    if rows.dtype.kind != "f":
        raise InputError(name, f"the dtype is {rows.dtype}", "vectors must be floats")
    if not np.isfinite(rows).all():
        bad = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise InputError(f"{name}, row {bad}", "it is not finite", "leave out items that failed")
    return unit_rows(rows.astype(np.float32))
