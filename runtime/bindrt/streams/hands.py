"""The threads that prepare the windows of all streams of a process."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
from functools import lru_cache
from typing import Protocol

LOG = logging.getLogger(__name__)

_MOST = 4  # threads
_PATIENCE = 2.0  # seconds that the end of the process waits for a window


class Workable(Protocol):
    """Something with work to do; one thread works on it at a time."""

    def work(self) -> bool:
        """Do some of it; whether there is more."""
        ...


class Turn:
    """A thing that may wait for a thread, or have one.

    Attributes:
        called: there is work that a thread may not have seen.
        taken: held from when it is queued to when its thread leaves it; nobody waits for this lock.
    """

    def __init__(self, thing: Workable) -> None:
        self.thing = thing
        self.called = False
        self.taken = threading.Lock()


class Hands:
    """A few threads for any number of streams; each stream is worked on by one thread at a time."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._queue: queue.SimpleQueue[Turn | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def call(self, turn: Turn) -> None:
        """There is work for it. Returns at once."""
        turn.called = True
        if turn.taken.acquire(blocking=False):
            if not self._threads:
                self._start()
            self._queue.put(turn)

    def are_here(self) -> bool:
        """Whether the thread that asks is one of them."""
        return threading.current_thread() in self._threads

    def is_process(self) -> bool:
        """Whether this is their process: they do not come along in a fork."""
        return self._process == os.getpid()

    def stop(self) -> None:
        if not self.is_process():
            return
        with self._lock:
            threads, self._threads = self._threads, []
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            thread.join(_PATIENCE)

    def _start(self) -> None:
        with self._lock:
            if self._threads:
                return
            count = min(os.cpu_count() or 1, _MOST)
            self._threads = [
                threading.Thread(target=self._work, name=f"bindrt-stream-{i}", daemon=True)
                for i in range(count)
            ]
            for thread in self._threads:
                thread.start()

    def _work(self) -> None:
        while (turn := self._queue.get()) is not None:
            turn.called = False
            try:
                more = turn.thing.work()
            except Exception:
                LOG.exception("a stream failed")
                more = False
            if more:
                self._queue.put(turn)
            else:
                turn.taken.release()
                if turn.called:
                    self.call(turn)
            del turn  # a stream that nobody has must not live on here


@lru_cache(maxsize=2)
def hands(process: int) -> Hands:
    """The threads of this process."""
    made = Hands(process)
    atexit.register(made.stop)
    return made
