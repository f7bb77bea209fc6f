"""Whether a model's engines go on: a call must end in the time that its rows may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bindrt.cores import usable_threads
from bindrt.errors import Error
from bindrt.modalities import MODALITIES
from bindrt.model import Model

#: Seconds between two looks.
INTERVAL = 0.1
#: Seconds that an engine may always take: with two looks less than one second.
PATIENCE = 0.7
#: An engine may take so many times as long as its rows took lately; where more than two engines work at once,
#: and so share the cores, half of it for each of them.
_TIMES = 4
#: Seconds in which some file must have been decoded, where all threads decode.
DECODING = 60.0
#: What faster calls count in the pace of an engine: one slow call is forgotten, but not at once.
_NEWEST = 0.1
#: Counts that grow when a request ends or leaves the engine. A request that comes is no progress.
_ENDS = ("done", "failed", "cancelled", "expired", "closed", "batches")

Lanes = Mapping[str, Mapping[str, Any]]


class Pulse:
    """Watches the pipelines of a model.

    Attributes:
        problem: why it counts as stopped; empty if it does not.

    Args:
        clock: seconds.
        threads: that decode; None: as many as there are for it here.
    """

    def __init__(
        self,
        model: Model,
        clock: Callable[[], float] = time.monotonic,
        threads: int | None = None,
    ) -> None:
        self._model = model
        self._clock = clock
        self._threads = usable_threads() if threads is None else threads
        self._engines: dict[str, _Engine] = {}
        self._decoding = _Still(clock())
        self.problem = ""

    def look(self) -> None:
        """Looks at all pipelines, and decides."""
        try:
            stats = self._model.pipelines.stats()
        except (Error, RuntimeError) as error:  # a fork; a pipeline that is being closed
            self.problem = str(error)
            return
        now = self._clock()
        self.problem = self._engine_problem(stats, now) or self._decoding_problem(stats, now)

    def _engine_problem(self, stats: Lanes, now: float) -> str:
        by_engine: dict[str, dict[str, Mapping[str, Any]]] = {}
        for modality, counts in stats.items():
            by_engine.setdefault(MODALITIES[modality].encoder, {})[modality] = counts
        working = sum(_sum(lanes.values(), "rows_in_engine") > 0 for lanes in by_engine.values())
        times = max(_TIMES, _TIMES / 2 * working)
        stopped: list[str] = []
        for encoder, lanes in by_engine.items():
            if any(counts["device_lost"] for counts in lanes.values()):
                return f"the GPU of {' and '.join(lanes)} is lost"
            engine = self._engines.get(encoder)
            if engine is None:
                first = self._model.pipelines.row_seconds.get(encoder, 0.0)
                engine = self._engines[encoder] = _Engine(first, now)
            if engine.is_stopped(list(lanes.values()), times, now):
                stopped += [m for m, counts in lanes.items() if counts["rows_in_flight"]] or list(lanes)
        return f"the engine of {' and '.join(stopped)} does not go on" if stopped else ""

    def _decoding_problem(self, stats: Lanes, now: float) -> str:
        """One file that is decoded for ever holds one thread, and the others go on: all must be held."""
        ends = tuple(_sum(stats.values(), name) for name in _ENDS)
        still = self._decoding.seconds(ends, _sum(stats.values(), "preparing") >= self._threads, now)
        return "no file that is being decoded comes to its end" if still > DECODING else ""


class _Still:
    """For how long something has been at work and its counts have not changed."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._counts: tuple[int, ...] = ()

    def seconds(self, counts: tuple[int, ...], is_at_work: bool, now: float) -> float:
        if counts != self._counts or not is_at_work:
            self._counts, self._since = counts, now
        return now - self._since


@dataclass
class _Calls:
    """What an engine has done so far."""

    count: int = 0
    rows: int = 0
    seconds: float = 0.0


class _Engine:
    """What was seen of one engine, whose modalities take turns.

    Args:
        row_seconds: that a row took before the first requests.
    """

    def __init__(self, row_seconds: float, now: float) -> None:
        self._pace = row_seconds
        self._calls = _Calls()
        self._in_call = _Still(now)
        self._between = _Still(now)

    def is_stopped(self, lanes: Sequence[Mapping[str, Any]], times: float, now: float) -> bool:
        """Whether its call takes too long, or no call takes rows that have been there for too long.

        Args:
            lanes: the counts of its modalities.
            times: how many times as long as expected a call may take.
        """
        self._learn(lanes)
        rows = _sum(lanes, "rows_in_engine")
        patience = max(PATIENCE, times * self._pace * rows)
        if self._in_call.seconds((_sum(lanes, "batches"),), rows > 0, now) > patience:
            return True
        waits = not rows and _sum(lanes, "rows_in_flight") > 0 and not _sum(lanes, "preparing")
        return self._between.seconds(tuple(_sum(lanes, name) for name in _ENDS), waits, now) > PATIENCE

    def _learn(self, lanes: Sequence[Mapping[str, Any]]) -> None:
        """How long a row takes, of the calls that have ended since the last look."""
        engine = [counts["seconds"]["engine"] for counts in lanes]
        found = _Calls(_sum(engine, "count"), _sum(lanes, "rows"), sum(each["sum"] for each in engine))
        before = self._calls
        if found.rows < before.rows:  # it was unloaded, and is loaded again
            before = self._calls = _Calls()
        if found.count == before.count or found.rows == before.rows:
            return
        pace = (found.seconds - before.seconds) / (found.rows - before.rows)
        if pace > self._pace or not before.count:
            self._pace = pace
        else:
            self._pace += _NEWEST * (pace - self._pace)
        self._calls = found


def _sum(lanes: Any, name: str) -> int:
    return sum(int(counts[name]) for counts in lanes)
