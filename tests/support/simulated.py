"""Systems and a clock that live in simulated time, to check scenarios against numbers known beforehand."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np


class SimulatedClock:
    """Time passes only while somebody waits; what is due then happens on the way."""

    def __init__(self) -> None:
        self._now = 0.0
        self._events: list[tuple[float, int, Future[Any]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return self._now

    def at(self, moment: float, future: Future[Any]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), future))

    def wait_until(self, moment: float) -> None:
        while self._events and self._events[0][0] <= moment:
            at, _, future = heapq.heappop(self._events)
            self._now = max(self._now, at)
            if future.set_running_or_notify_cancel():
                future.set_result(np.zeros(1, np.float32))
        self._now = max(self._now, moment)

    def wait_for(self, future: Future[Any], moment: float) -> None:
        while not future.done() and self._events and self._events[0][0] <= moment:
            self.wait_until(self._events[0][0])
        if not future.done():
            self.wait_until(moment)


class Server:
    """Takes ``service`` seconds a request, one after the other; ``stalls`` are (from, to) in which it stands.

    With ``blocks`` a caller waits in ``submit`` until its request is done.
    """

    about = "simulated"
    overlaps = True

    def __init__(
        self, clock: SimulatedClock, service: float, stalls: Iterable[tuple[float, float]] = (),
        blocks: bool = False,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._service = service
        self._stalls = list(stalls)
        self._blocks = blocks
        self._free = 0.0
        self.priorities: set[int] = set()

    def submit(self, modality: str, item: object, priority: int) -> Future[Any]:
        self.priorities.add(priority)
        start = max(self._clock.now(), self._free)
        for begin, end in self._stalls:
            if begin <= start < end:
                start = end
        self._free = start + self._service
        future = SimulatedFuture(self._clock)
        self._clock.at(self._free, future)
        if self._blocks:
            self._clock.wait_until(self._free)
        return future

    def stream(
        self, modality: str, items: Iterable[object], in_flight: int | None, priority: int
    ) -> Iterator[object]:
        for item in items:
            yield self.submit(modality, item, priority).result()

    def stages(self, modality: str) -> dict[str, tuple[int, float]]:
        return {}

    def close(self) -> None: ...


class SimulatedFuture(Future[Any]):
    """Asking for the result lets time pass until it is there."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def result(self, timeout: float | None = None) -> Any:
        self._clock.wait_for(self, float("inf"))
        return super().result(timeout)
