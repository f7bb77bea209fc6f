"""How we time: alternatives take turns, and medians are compared, since machines are noisy."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter

from bindrt.benchmark.facts import machine

__all__ = ["Timing", "as_json", "interleaved", "machine"]


@dataclass(frozen=True)
class Timing:
    """Seconds of one alternative over all rounds."""

    median: float
    fastest: float
    slowest: float
    rounds: int


def interleaved(alternatives: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Time each alternative once a round, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in alternatives}
    for round_number in range(rounds + 1):
        for name, run in alternatives.items():
            start = perf_counter()
            run()
            if round_number:
                seconds[name].append(perf_counter() - start)
    return {name: Timing(statistics.median(s), min(s), max(s), len(s)) for name, s in seconds.items()}


def as_json(timings: Mapping[str, Timing]) -> dict[str, dict[str, float]]:
    return {name: asdict(timing) for name, timing in timings.items()}
