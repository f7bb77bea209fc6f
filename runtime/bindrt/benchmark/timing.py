"""How short pieces of work are timed: in turns, comparing medians, since machines are noisy."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter


@dataclass(frozen=True)
class Timing:
    """Seconds of one alternative over all rounds."""

    median: float
    fastest: float
    slowest: float
    rounds: int


def seconds_of(work: Callable[[], object], clock: Callable[[], float] = perf_counter) -> float:
    """The seconds that one call takes."""
    start = clock()
    work()
    return clock() - start


def interleaved(
    alternatives: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, Timing]:
    """Time each alternative once a round, after one round that is not counted.

    Args:
        clock: ``time.process_time`` counts processor time instead, so that other programs do not matter.

    Example:
        >>> found = interleaved({"sum": lambda: sum(range(10)), "max": lambda: max(range(10))}, rounds=3)
        >>> found["sum"].rounds
        3
    """
    seconds: dict[str, list[float]] = {name: [] for name in alternatives}
    for number in range(rounds + 1):
        for name, work in alternatives.items():
            taken = seconds_of(work, clock)
            if number:
                seconds[name].append(taken)
    return {name: Timing(statistics.median(s), min(s), max(s), len(s)) for name, s in seconds.items()}


def as_json(timings: Mapping[str, Timing]) -> dict[str, dict[str, float]]:
    return {name: asdict(timing) for name, timing in timings.items()}


def duration(seconds: float) -> str:
    """A time with three digits, in the unit that fits it.

    Example:
        >>> duration(0.0123)
        '12.3 ms'
    """
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns" if seconds > 0 else "0 µs"
