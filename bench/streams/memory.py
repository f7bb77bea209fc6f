"""Resident memory of this process."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> float:
    """MiB of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * _PAGE / (1 << 20)


def drift(series: Sequence[float]) -> float:
    """MiB by which the last quarter holds more than the second one: medians, since batches come and go."""
    quarter = len(series) // 4
    return statistics.median(series[-quarter:]) - statistics.median(series[quarter : 2 * quarter])
