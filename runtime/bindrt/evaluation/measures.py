"""Shares of right answers with their 95 % intervals; average precision; differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
#: A score from how often each item counts, ``[items]``: 1 each, or as resampling drew them.
Scorer = Callable[[Floats], float]

_Z = 1.959963984540054
#: How often items are drawn anew for an interval, and with which seed: an interval is the same each time.
RESAMPLES, SEED = 1000, 0


def wilson(right: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    share, z2 = right / count, _Z * _Z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def bootstrap(score: Scorer, count: int, groups: Sequence[int] = ()) -> tuple[float, float]:
    """The 95 % interval of a score: items are drawn anew, as many as there are, with repetition.

    Args:
        count: how many items there are.
        groups: items of one group are drawn together, for example the five captions of a sound.
    """
    scores = [score(weights) for weights in resampled(count, groups)]
    low, high = np.nanpercentile(scores, [2.5, 97.5])
    return float(low), float(high)


def resampled(count: int, groups: Sequence[int] = ()) -> Iterator[Floats]:
    """How often each of ``count`` items is drawn, again and again."""
    _, member = np.unique(np.array(groups or range(count)), return_inverse=True)
    each = int(member.max()) + 1
    rng = np.random.default_rng(SEED)
    for _ in range(RESAMPLES):
        drawn = np.bincount(rng.integers(each, size=each), minlength=each).astype(np.float64)
        yield drawn[member]


def mean_of(values: npt.NDArray[Any], folds: Sequence[int] = ()) -> Scorer:
    """The mean of a value that each item has; with folds the mean over the folds' means."""
    parts = [np.flatnonzero(np.array(folds) == fold) for fold in sorted(set(folds))]
    parts = parts or [np.arange(len(values))]
    each = np.asarray(values, np.float64)

    def score(weights: Floats) -> float:
        means = [_mean(each[part], weights[part]) for part in parts]
        return float(np.nanmean(means))

    return score


def _mean(values: Floats, weights: Floats) -> float:
    total = weights.sum()
    return float((values * weights).sum() / total) if total else math.nan


def mean_average_precision(scores: npt.NDArray[Any], truth: npt.NDArray[np.bool_]) -> Scorer:
    """The mean over classes of the average precision; a class that no item has does not count.

    Args:
        scores: ``[items, classes]``: how near each item is to each class.
        truth: ``[items, classes]``: which classes an item has.
    """
    classes = []
    for column in np.flatnonzero(truth.any(axis=0)):
        order = np.argsort(-scores[:, column], kind="stable")
        ranked = scores[order, column]
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # equal scores share a place
        classes.append((order, truth[order, column].astype(np.float64), ends))

    def score(weights: Floats) -> float:
        return float(np.nanmean([_average_precision(weights[o], hits, ends) for o, hits, ends in classes]))

    return score


def _average_precision(weights: Floats, hits: Floats, ends: npt.NDArray[np.int64]) -> float:
    seen, found = np.cumsum(weights)[ends], np.cumsum(weights * hits)[ends]
    if not found[-1]:
        return math.nan
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])
