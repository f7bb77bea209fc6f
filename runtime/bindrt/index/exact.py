"""Exact search: the queries are compared with every row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Vectors
from bindrt.embeddings.vectors import top
from bindrt.errors import InputError
from bindrt.index.vectors import Stored, UnitRows

Numbers = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Queries that are compared at once; it bounds the scores in memory.
_QUERIES = 256
#: If fewer of some rows are wanted, copying these costs less than comparing with all.
_WORTH_COPYING = 0.25
#: Rows that are compared with as many others at once, for pairs.
_PAIRED = 2048
#: No two rows of unit length have a larger product, whatever the rounding.
_LARGEST = 1.01
#: Equal vectors have a product of 1 only up to rounding.
_ROUNDING = np.float32(1e-6)


def nearest(
    rows: UnitRows, queries: Vectors, k: int | None, mask: Mask | None, floor: float | None, block: int
) -> list[tuple[Numbers, Scores]]:
    """Numbers and scores of the ``k`` best rows for each query, the best first; equal ones in order.

    Args:
        k: None: all.
        mask: which rows to compare with, bool ``[N]``; None: all.
        floor: the lowest score that counts; None: any.
        block: rows that are compared at once; their scores stay in the processor's cache.
    """
    found: list[tuple[Numbers, Scores]] = []
    for begin in range(0, len(queries), _QUERIES):
        part = queries[begin : begin + _QUERIES]
        best = [(np.empty(0, np.int64), np.empty(0, np.float32))] * len(part)
        for numbers, products in _compared(rows, part, mask, block):
            for q, product in enumerate(products):
                taken = best_of(product, k, floor)
                scores = np.concatenate([best[q][1], product[taken]])
                order = np.argsort(-scores, kind="stable")[:k]
                best[q] = np.concatenate([best[q][0], numbers[taken]])[order], scores[order]
        found += best
    return found


def pairs(rows: UnitRows, mask: Mask, floor: float, most: int) -> tuple[Numbers, Numbers, Scores]:
    """The ``most`` best pairs of rows whose score is at least ``floor``, the best first; equal ones in order.

    Returns:
        The rows' numbers, the smaller ones first, and the scores.
    """
    numbers = np.flatnonzero(mask)
    starts = range(0, len(numbers), _PAIRED)
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
    for begin in starts:
        ours = numbers[begin : begin + _PAIRED]
        vectors = rows.take(ours)
        for other in starts[begin // _PAIRED :]:
            theirs = numbers[other : other + _PAIRED]
            with np.errstate(all="ignore"):
                products = vectors @ (vectors if other == begin else rows.take(theirs)).T
            possible(products, theirs)
            near = products >= floor - _ROUNDING
            a, b = np.nonzero(np.triu(near, 1) if other == begin else near)
            parts.append((ours[a], theirs[b], products[a, b]))
        if sum(len(part[0]) for part in parts) > most:
            parts = [_best(parts, most)]
    return _best(parts, most)


def _best(parts: list[tuple[Numbers, Numbers, Scores]], most: int) -> tuple[Numbers, Numbers, Scores]:
    first, second, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((second, first, -scores))[:most]
    return first[order], second[order], scores[order]


def _compared(
    rows: UnitRows, queries: Vectors, mask: Mask | None, block: int
) -> Iterator[tuple[Numbers, Scores]]:
    """The numbers of some rows ``[n]``, and each query's scores with them ``[Q, n]``."""
    for first, values in rows.spans(block):
        if mask is None:
            wanted = np.arange(len(values))
        else:
            wanted = np.flatnonzero(mask[first : first + len(values)])
            if len(wanted) == 0:
                continue
        numbers = first + wanted
        begin, end = int(wanted[0]), int(wanted[-1]) + 1
        if len(wanted) < _WORTH_COPYING * (end - begin):
            yield numbers, _products(rows, queries, values[wanted], numbers)
            continue
        every = np.arange(first + begin, first + end)
        products = _products(rows, queries, values[begin:end], every)
        yield numbers, products if len(wanted) == len(every) else products[:, wanted - begin]


def _products(rows: UnitRows, queries: Vectors, values: Stored, numbers: Numbers) -> Scores:
    """The scores ``[Q, n]`` of rows with these numbers, which are held as ``values``."""
    with np.errstate(all="ignore"):  # of a damaged file; see possible
        return possible(rows.products(queries, values, numbers), numbers)


def possible(products: Scores, numbers: Numbers) -> Scores:
    """The same scores ``[…, n]``, of rows with these numbers.

    Raises:
        InputError: rows of unit length cannot have such a score, so a file of the index is damaged.
    """
    if products.size and not (products.max() <= _LARGEST and products.min() >= -_LARGEST):  # also NaN
        bad = ~(np.abs(np.atleast_2d(products)) <= _LARGEST).all(axis=0)
        row = int(numbers[np.flatnonzero(bad)[0]])
        raise InputError(f"row {row} of the index", "it has not unit length", "build the index again")
    return products


def best_of(values: Scores, k: int | None, floor: float | None) -> Numbers:
    """Indices of the ``k`` largest values from ``floor`` on, the largest first; equal ones in order.

    >>> best_of(np.float32([1, 3, 2, 3]), None, floor=2.0).tolist()
    [1, 3, 2]
    """
    if floor is None:
        return top(values, k)
    near = np.flatnonzero(values >= floor - _ROUNDING)
    return near[top(values[near], k)]
