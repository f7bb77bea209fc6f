"""Deadlines of futures, each told once. One thread, while there are any."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from time import monotonic

from bindrt.pipeline.sharing.futures import SharedFuture

#: Called under the lock when a deadline is over; what it returns is called without it.
TooLate = Callable[[SharedFuture], "Callable[[], None] | None"]


class Clock:
    """All methods are called under ``changed``."""

    def __init__(self, changed: threading.Condition, too_late: TooLate) -> None:
        self._changed = changed
        self._too_late = too_late
        self._due: dict[SharedFuture, float] = {}
        self._order: list[tuple[float, int, SharedFuture]] = []  # a heap; those not in _due are over
        self._number = itertools.count()
        self._thread: threading.Thread | None = None

    def add(self, future: SharedFuture, due: float) -> None:
        self._due[future] = due
        heapq.heappush(self._order, (due, next(self._number), future))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="bindrt deadlines", daemon=True)
            self._thread.start()
        elif self._order[0][2] is future:
            self._changed.notify_all()

    def remove(self, future: SharedFuture) -> None:
        if self._due.pop(future, None) is None:
            return
        if not self._due:
            self._order.clear()
            self._changed.notify_all()
        elif len(self._order) > 2 * len(self._due) + 64:
            self._order = [entry for entry in self._order if entry[2] in self._due]
            heapq.heapify(self._order)

    def _run(self) -> None:
        with self._changed:
            while self._order:
                due, _, future = self._order[0]
                if future not in self._due:
                    heapq.heappop(self._order)
                elif (left := due - monotonic()) > 0:
                    self._changed.wait(left)
                else:
                    heapq.heappop(self._order)
                    self._due.pop(future)
                    end = self._too_late(future)
                    if end is not None:
                        self._changed.release()
                        try:
                            end()
                        finally:
                            self._changed.acquire()
            self._thread = None
