"""Threads of this package beside those of the program: of lower priority, or at least not in their way."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

from bindrt import _core

Made = TypeVar("Made")

#: Steps of niceness: on a busy core such a thread gets 4 % of the time of a usual thread.
STEPS = 15


def in_background(make: Callable[[], Made]) -> Made:
    """What ``make`` makes. Threads that it starts run when usual threads leave a core free.

    On Linux a thread has its own niceness and inherits it from the thread that starts it. On other systems
    niceness belongs to the process, and nothing changes.
    """
    if sys.platform != "linux":
        return make()
    _core.start_native_threads()  # they serve all encoders, by priorities of their own
    with ThreadPoolExecutor(1, "bindrt-start", initializer=_step_back) as starter:
        return starter.submit(make).result()


@contextmanager
def batch_class(wanted: bool = True) -> Iterator[None]:
    """Threads that start in the block are of Linux's class for batch work, if this thread is a usual one.

    A usual thread that wakes may take the core of one that runs, which then waits for some milliseconds. One
    of this class does not; it has as much time as the others. On other systems nothing changes.
    """
    changed = wanted and join_batch_class()
    try:
        yield
    finally:
        if changed:
            _set_class("SCHED_OTHER")


def join_batch_class() -> bool:
    """Puts this thread into Linux's class for batch work, if it is a usual one; whether that was done."""
    if sys.platform != "linux" or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False  # a thread of real time or in the background was made so by the program
    return _set_class("SCHED_BATCH")


def _set_class(name: str) -> bool:
    try:
        os.sched_setscheduler(0, getattr(os, name), os.sched_param(0))
    except OSError:  # a sandbox may forbid it
        return False
    return True


def _step_back() -> None:
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + STEPS, 19))


class FairLock:
    """A lock held by one at a time; of those that wait, the one that has had least time is next.

    Few threads of low priority may run at once: one of them may hold the interpreter, and the more of them
    share a core, the later it can let go of it.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: list[tuple[str, threading.Lock]] = []
        self._had: dict[str, float] = {}  # seconds
        # What everybody has had or could have had: one that starts late cannot claim time from before.
        self._due = 0.0

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Wait for the lock and hold it while the block runs. Time is counted by name."""
        self._take(name)
        start = perf_counter()
        try:
            yield
        finally:
            self._pass_on(name, perf_counter() - start)

    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def _take(self, name: str) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            until = threading.Lock()
            until.acquire()
            self._waiting.append((name, until))
        until.acquire()

    def _pass_on(self, name: str, seconds: float) -> None:
        with self._guard:
            self._had[name] = self._seconds(name) + seconds
            self._taken = bool(self._waiting)
            if self._taken:
                place = min(range(len(self._waiting)), key=lambda i: self._seconds(self._waiting[i][0]))
                following, until = self._waiting.pop(place)
                self._due = self._seconds(following)
                until.release()

    def _seconds(self, name: str) -> float:
        return max(self._had.get(name, 0.0), self._due)
