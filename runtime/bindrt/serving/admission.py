"""Bounds on what is accepted at once: items by modality and their time, and bytes of bodies.

Past them: try again later.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bindrt.errors import Overloaded

#: What the newest request counts in the time that an item is said to take.
_NEWEST = 0.1


class Queue:
    """Counts the items of one model that are accepted and not yet answered. For one event loop.

    Args:
        most: items of one modality.
        seconds: the longest time that an item may have to wait, as requests so far tell.
        clock: seconds.
    """

    def __init__(
        self, most: int, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._pace: dict[str, float] = {}  # seconds of each item that was there when a request came
        self.held: Counter[str] = Counter()

    @contextmanager
    def room_for(self, counts: Mapping[str, int]) -> Iterator[None]:
        """Holds room for items, by modality, while the block runs.

        Raises:
            Overloaded: there is none now, or they would wait for too long.
        """
        for modality, count in counts.items():
            self._require_room(modality, count)
        self.held.update(counts)
        began, ahead = self._clock(), {modality: self.held[modality] for modality in counts}
        try:
            yield
            if len(ahead) == 1:  # of several modalities nobody knows which took the time
                self._learn(*ahead.popitem(), self._clock() - began)
        finally:
            self.held.subtract(counts)

    def _require_room(self, modality: str, count: int) -> None:
        held = self.held[modality]
        wait = held * self._pace.get(modality, 0.0)
        if wait > self._seconds:
            problem = f"{held} items wait already, for about {wait:.0f} s"
        elif held + count > self._most:
            problem = f"{held} items wait already"
        else:
            return
        raise Overloaded(modality, problem, "try again later, or send fewer")

    def _learn(self, modality: str, items: int, seconds: float) -> None:
        pace = seconds / items
        before = self._pace.get(modality, pace)
        self._pace[modality] = before + _NEWEST * (pace - before)


class Memory:
    """Counts the bytes of bodies that are held. For one event loop.

    Args:
        most: bytes of all of them.
        what: they are, for the error.
    """

    def __init__(self, most: int, what: str = "the bodies of other requests") -> None:
        self._most = most
        self._what = what
        self.held = 0

    def take(self, size: int) -> None:
        """Raises Overloaded if that many more bytes are too many."""
        if self.held + size > self._most:
            raise Overloaded("", f"{self._what} fill the memory", "try again later")
        self.held += size

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Takes bytes while the block runs; it raises as :meth:`take`."""
        self.take(size)
        try:
            yield
        finally:
            self.give_back(size)

    def give_back(self, size: int) -> None:
        self.held -= size
