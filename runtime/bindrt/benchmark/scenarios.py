"""How requests reach a system: one after the other, as many as it takes, or at random times."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from typing import Any

from bindrt.benchmark.arrivals import Arrival
from bindrt.benchmark.clock import Clock, RealClock
from bindrt.benchmark.systems import System
from bindrt.errors import Error

Items = Mapping[str, Sequence[object]]
REAL = RealClock()
#: The fewest requests of a run.
LEAST_REQUESTS = 3


@dataclass
class LoadRun:
    """One run of ``single`` or ``offline``.

    Attributes:
        seconds: how long it took, by modality.
        items: how many items were embedded, by modality.
        latencies: seconds of each request, by modality; only ``single`` has them.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    latencies: dict[str, list[float]] = field(default_factory=dict)


@dataclass
class Trial:
    """One run of ``server``: requests at a rate.

    Attributes:
        rate: requests a second, on average.
        held: all were sent in time, and 99 % of each modality were answered within the bound.
        why: what did not hold; empty if all held.
        sent: requests until the end, or until it was clear that the rate does not hold.
        latencies: by modality, seconds from the moment that a request was due until it was answered.
    """

    rate: float
    held: bool
    why: str
    sent: int
    latencies: dict[str, list[float]]


def single(
    system: System, items: Items, modalities: Sequence[str], seconds: float,
    priorities: Mapping[str, int] | None = None, clock: Clock = REAL,
) -> LoadRun:  # fmt: skip
    """Each modality's requests one after the other: the next is sent when the last one's vector is there.

    Several modalities run at once, each with a thread of its own.
    """
    run = LoadRun()

    def work(modality: str) -> None:
        taken: list[float] = []
        begin = now = clock.now()
        for item in cycle(items[modality]):
            if now - begin >= seconds and len(taken) >= LEAST_REQUESTS:
                break
            start = clock.now()
            system.submit(modality, item, (priorities or {}).get(modality, 0)).result()
            now = clock.now()
            taken.append(now - start)
        run.latencies[modality], run.items[modality] = taken, len(taken)
        run.seconds[modality] = now - begin

    at_once([partial(work, m) for m in modalities])
    return run


def offline(
    system: System, items: Items, modalities: Sequence[str], seconds: float,
    in_flight: int | None = None, priorities: Mapping[str, int] | None = None, clock: Clock = REAL,
) -> LoadRun:  # fmt: skip
    """As many items as the system takes in ``seconds``, with enough of them waiting; until the last is done.

    Several modalities run at once, each as fast as it can.
    """
    run = LoadRun()

    def work(modality: str) -> None:
        begin = clock.now()

        def source() -> Iterator[object]:
            for sent, item in enumerate(cycle(items[modality])):
                if clock.now() - begin >= seconds and sent >= LEAST_REQUESTS:
                    return
                yield item

        priority = (priorities or {}).get(modality, 0)
        run.items[modality] = sum(1 for _ in system.stream(modality, source(), in_flight, priority))
        run.seconds[modality] = clock.now() - begin

    at_once([partial(work, m) for m in modalities])
    return run


def at_once(works: Sequence[Callable[[], None]]) -> None:
    """Run all, each in a thread; raises what one of them raised."""
    if len(works) == 1:
        works[0]()
        return
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def server(
    system: System, items: Items, arrivals: Sequence[Arrival], rate: float, bound: float,
    priorities: Mapping[str, int] | None = None, clock: Clock = REAL,
) -> Trial:  # fmt: skip
    """Send each request when it is due, whatever the system does meanwhile.

    A latency counts from the moment the request was due, not from when it could be sent: what a system
    that blocks its callers keeps waiting is its latency too. The trial ends as soon as more requests are late
    than 99 % within ``bound`` seconds allow.
    """
    count = Tally(arrivals, bound)
    sources = {m: cycle(items[m]) for m in {a.modality for a in arrivals}}
    for modality, source in sources.items():  # wait until an earlier trial's requests have left the engine
        system.submit(modality, next(source), 0).result()
    begin = clock.now()
    waiting: list[tuple[float, str, Future[Any]]] = []
    sent = 0
    for arrival in arrivals:
        due = begin + arrival.at
        clock.wait_until(due)
        waiting = [entry for entry in waiting if not entry[2].done()]
        if count.lost(waiting, clock.now()):
            break
        future = system.submit(
            arrival.modality, next(sources[arrival.modality]), (priorities or {}).get(arrival.modality, 0)
        )
        sent += 1
        waiting.append((due, arrival.modality, future))
        future.add_done_callback(partial(count.done, arrival.modality, due, clock))
    for due, _, future in waiting:
        if not count.lost(waiting, clock.now()):
            clock.wait_for(future, due + bound)
    lost = count.lost(waiting, clock.now())
    for _, _, future in waiting:
        future.cancel()
    while count.heard < sent:  # a future is done a moment before its callbacks have run
        clock.wait_until(clock.now() + 1e-4)
    count.raise_failure()
    if not lost and sent == len(arrivals):
        lost = count.lost([], clock.now())
    return Trial(rate, not lost, lost, sent, count.latencies)


class Tally:
    """Collects latencies, and tells whether the bound can still be held.

    Attributes:
        latencies: by modality, seconds of the requests that were answered.
        heard: how many requests were answered or cancelled.
    """

    def __init__(self, arrivals: Sequence[Arrival], bound: float) -> None:
        modalities = {a.modality for a in arrivals}
        self.latencies: dict[str, list[float]] = {m: [] for m in modalities}
        self._bound = bound
        self._allowed = {m: sum(a.modality == m for a in arrivals) // 100 for m in modalities}
        self.heard = 0
        self._late = dict.fromkeys(modalities, 0)
        self._failure: Error | None = None
        self._lock = threading.Lock()

    def done(self, modality: str, due: float, clock: Clock, future: Future[Any]) -> None:
        latency = clock.now() - due
        with self._lock:
            self.heard += 1
            if future.cancelled():
                return
            if isinstance(error := future.exception(), Error):
                self._failure = error
            self.latencies[modality].append(latency)
            self._late[modality] += latency > self._bound

    def lost(self, waiting: Sequence[tuple[float, str, Future[Any]]], now: float) -> str:
        """Why the bound can no longer be held; empty: it still can."""
        late = dict(self._late)
        for due, modality, future in waiting:
            late[modality] += now - due > self._bound and not future.done()
        for modality, number in late.items():
            if number > self._allowed[modality]:
                return f"{modality}: more than 1 % took longer than {1e3 * self._bound:.4g} ms"
        return ""

    def raise_failure(self) -> None:
        """Raise the error of an item that could not be embedded."""
        if self._failure is not None:
            raise self._failure
