"""Percentiles of latencies, and the spread of several runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

PERCENTILES = (50.0, 90.0, 99.0, 99.9)


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The smallest of the values that ``percent`` of them do not exceed.

    Args:
        ordered: ascending.

    Returns:
        None where there are too few to tell it from the largest: p99 needs 100 values, p99.9 needs 1000.
    """
    needed = round(100 / (100 - percent), 6)
    if len(ordered) < needed:
        return None
    return ordered[max(math.ceil(round(len(ordered) * percent / 100, 6)) - 1, 0)]


def latencies(seconds: Sequence[float]) -> dict[str, Any]:
    """``count``, ``mean``, ``p50`` … ``p99.9`` (None: too few), ``max``; in seconds."""
    ordered = sorted(seconds)
    if not ordered:
        return {"count": 0, "mean": None, **{f"p{p:g}": None for p in PERCENTILES}, "max": None}
    found = {f"p{p:g}": percentile(ordered, p) for p in PERCENTILES}
    return {"count": len(ordered), "mean": statistics.fmean(ordered), **found, "max": ordered[-1]}


def curve(seconds: Sequence[float], points: int = 60) -> list[list[float]]:
    """The distribution for a plot: ``[share that is slower, seconds]``, shares falling from 1 to 1/count."""
    ordered = sorted(seconds)
    count = len(ordered)
    if count == 0:
        return []
    steps = [math.exp(-math.log(count) * i / max(points - 1, 1)) for i in range(points)]
    places = sorted({min(max(count - round(share * count), 0), count - 1) for share in steps})
    return [[(count - place) / count, ordered[place]] for place in places]


def spread(values: Sequence[float]) -> dict[str, Any]:
    """``median``, ``low`` and ``high`` of the runs, and the ``runs`` themselves."""
    return {
        "median": statistics.median(values),
        "low": min(values),
        "high": max(values),
        "runs": list(values),
    }
