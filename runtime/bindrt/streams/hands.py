"""The threads that prepare the windows of all streams of a process."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol
from weakref import WeakSet

from bindrt.background import join_batch_class
from bindrt.ending import stay_out

LOG = logging.getLogger(__name__)

_MOST = 4  # threads
_INTERVAL = 0.001  # seconds between looks for work
_AWAKE = 2.0  # seconds without work after which nobody looks for it
_PATIENCE = 2.0  # seconds that the end of the process waits for a window


class Workable(Protocol):
    """Something with work to do; one thread works on it at a time."""

    def work(self) -> bool:
        """Do some of it; whether there is more."""
        ...


class Closable(Protocol):
    """Something that takes what the threads are to work on."""

    def refuse(self) -> None:
        """Take nothing any more."""
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
    """A few threads for any number of streams; each stream is worked on by one thread at a time.

    To wake a sleeping thread takes whoever does it tens of microseconds, and may cost it the processor. So
    while there is something to do again and again, one thread looks for it each millisecond, and wakes
    another where that is too much for one. After two seconds without work it sleeps until it is woken.
    """

    def __init__(self, process: int, scheduling: str = "normal") -> None:
        self._process, self._scheduling = process, scheduling
        self._waiting: deque[Turn] = deque()
        self._threads: list[threading.Thread] = []
        self._served: WeakSet[Closable] = WeakSet()
        self._lock = threading.Lock()
        self._asleep, self._ending = False, False
        self._wake = threading.Event()
        self._helpers: queue.SimpleQueue[bool] = queue.SimpleQueue()  # True: help; False: end

    def serve(self, thing: Closable) -> None:
        """Tell it when they end. At the end of the process this is as :meth:`require_running`."""
        with self._lock:
            if not self._ending:
                self._served.add(thing)
                return
        stay_out()

    def require_running(self) -> None:
        """Where they have ended, a daemon thread stays here for ever, and others get a ClosedError."""
        if self._ending:
            stay_out()

    def call(self, turn: Turn) -> None:
        """There is work for it. Returns at once."""
        turn.called = True
        if turn.taken.acquire(blocking=False):
            self._waiting.append(turn)
            if not self._threads:
                self._start()
            if self._asleep:
                self._wake.set()

    def are_here(self) -> bool:
        """Whether the thread that asks is one of them."""
        return threading.current_thread() in self._threads

    def can_work(self) -> bool:
        """Whether they have not ended and this is their process: they do not come along in a fork."""
        return not self._ending and self._process == os.getpid()

    def stop(self) -> None:
        """End the threads; what waits is left, and what they serve takes nothing more."""
        if self._process != os.getpid():
            return
        with self._lock:
            threads, self._threads = self._threads, []
            served, self._ending = list(self._served), True
        for thing in served:
            thing.refuse()
        self._wake.set()
        for _ in threads:
            self._helpers.put(False)
        for thread in threads:
            thread.join(_PATIENCE)

    def _start(self) -> None:
        with self._lock:
            if self._threads or self._ending:
                return
            count = min(os.cpu_count() or 1, _MOST)
            tasks = [self._look] + [self._help] * (count - 1)
            self._threads = [
                threading.Thread(target=self._run, args=(task,), name=f"bindrt-stream-{i}", daemon=True)
                for i, task in enumerate(tasks)
            ]
            for thread in self._threads:
                thread.start()

    def _run(self, task: Callable[[], None]) -> None:
        if self._scheduling == "batch":
            join_batch_class()
        task()

    def _look(self) -> None:
        """The first thread."""
        busy = time.monotonic()
        while not self._ending:
            if self._waiting:
                if len(self._waiting) > 1 and self._helpers.empty():
                    self._helpers.put(True)
                self._do_all()
                busy = time.monotonic()
            elif time.monotonic() - busy < _AWAKE:
                time.sleep(_INTERVAL)
            else:
                self._wake.clear()
                self._asleep = True
                if not self._waiting and not self._ending:
                    self._wake.wait()
                self._asleep = False
                busy = time.monotonic()

    def _help(self) -> None:
        """The other threads."""
        while self._helpers.get():
            self._do_all()

    def _do_all(self) -> None:
        while not self._ending:
            try:
                turn = self._waiting.popleft()
            except IndexError:
                return
            self._do(turn)
            del turn  # a stream that nobody has must not live on here

    def _do(self, turn: Turn) -> None:
        turn.called = False
        try:
            more = turn.thing.work()
        except Exception:
            LOG.exception("a stream failed")
            more = False
        if more:
            self._waiting.append(turn)
            return
        turn.taken.release()
        if turn.called:
            self.call(turn)


@lru_cache(maxsize=4)
def hands(process: int, scheduling: str) -> Hands:
    """The threads of this process, of a class of :class:`bindrt.PipelineOptions`."""
    made = Hands(process, scheduling)
    atexit.register(made.stop)
    return made
