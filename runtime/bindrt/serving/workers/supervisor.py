"""Keeps the workers of a server running until it is told to end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

from bindrt.serving.workers.board import Board, State

LOG = logging.getLogger(__name__)

#: A worker that ran for so many seconds is started again at once; one that did not, after a while.
STEADY = 10.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
#: Seconds between two looks at what no event tells: whether the first worker is warm.
_LOOK = 0.1
#: Seconds beyond ``drain`` after which a worker that does not end is killed.
_MERCY = 10.0


def waiting(failures: int) -> float:
    """Seconds before a worker is started again that did not run for long, so many times one after the other.

    >>> [waiting(failures) for failures in (0, 1, 2, 3, 20)]
    [0.0, 0.5, 1.0, 2.0, 30.0]
    """
    return min(FIRST_WAIT * 2.0 ** min(failures - 1, 30), LONGEST_WAIT) if failures else 0.0


@dataclass
class _Worker:
    """One worker: its process, or when the next one is due."""

    process: BaseProcess | None = None
    due: float | None = None
    began: float = 0.0
    failures: int = 0


class Supervisor:
    """Starts workers, starts those again that die, and ends all.

    The first one starts alone: what is measured and written once, it does for all. The others follow when it
    is warm, or has ended.

    Args:
        start: starts the worker with a number.
        drain: seconds that workers may take to end.

    Attributes:
        ended_by: the signal that told it to end.
    """

    def __init__(self, board: Board, start: Callable[[int], BaseProcess], drain: float) -> None:
        self._board = board
        self._start_one = start
        self._drain = drain
        self._workers = [_Worker() for _ in range(board.count)]
        self.ended_by: int | None = None
        self._hurry = False

    def run(self, on_end: Callable[[], None] = lambda: None) -> None:
        """Returns when all workers have ended, after SIGTERM or SIGINT.

        Args:
            on_end: is called before the workers are told to end.
        """
        with self._signals() as told:
            try:
                self._workers[0].due = time.monotonic()
                while self.ended_by is None:
                    self._start_those_due()
                    wait([*self._sentinels(), told], self._seconds_to_next())
                    self._look_after_ended()
                on_end()
                self._end(told)
            finally:
                self._kill()

    def _start_those_due(self) -> None:
        if self._board.starts[0] and self._board.states[0] != State.COLD:
            for worker in self._workers[1:]:
                if worker.process is None and worker.due is None:
                    worker.due = time.monotonic()
        for number, worker in enumerate(self._workers):
            if worker.due is not None and worker.due <= time.monotonic():
                worker.due = None
                worker.began = time.monotonic()
                self._board.states[number] = State.COLD
                self._board.starts[number] += 1
                worker.process = self._start_one(number)

    def _seconds_to_next(self) -> float | None:
        """Until there is something to do beside events; None: nothing."""
        if any(worker.process is None and worker.due is None for worker in self._workers):
            return _LOOK
        due = [worker.due for worker in self._workers if worker.due is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _look_after_ended(self) -> None:
        for number, worker in enumerate(self._workers):
            if worker.process is None or worker.process.exitcode is None:
                continue
            ran = time.monotonic() - worker.began
            worker.failures = 0 if ran >= STEADY else worker.failures + 1
            seconds = waiting(worker.failures)
            LOG.warning("worker %d %s; it is started again %s", number, _how(worker.process),
                        f"in {seconds:g} s" if seconds else "at once")  # fmt: skip
            worker.process.close()
            worker.process, worker.due = None, time.monotonic() + seconds
            self._board.states[number] = State.GONE

    def _end(self, told: socket.socket) -> None:
        """Tells all workers to end, and waits for them; a second Ctrl-C is told to them as well."""
        self._tell(signal.SIGTERM)
        until = time.monotonic() + self._drain + _MERCY
        hurried = False
        while (left := until - time.monotonic()) > 0 and (running := self._running()):
            wait([*(each.sentinel for each in running), told], left)
            with suppress(BlockingIOError):
                told.recv(64)
            if self._hurry and not hurried:
                self._tell(signal.SIGINT)
                hurried = True

    def _tell(self, sig: int) -> None:
        for process in self._running():
            assert process.pid is not None
            os.kill(process.pid, sig)

    def _kill(self) -> None:
        for worker in self._workers:
            if worker.process is not None:
                worker.process.kill()
                worker.process.join()

    def _running(self) -> list[BaseProcess]:
        processes = [worker.process for worker in self._workers if worker.process is not None]
        return [process for process in processes if process.exitcode is None]

    def _sentinels(self) -> list[int]:
        """What can be read once a worker has ended, of all that are not looked after yet."""
        return [worker.process.sentinel for worker in self._workers if worker.process is not None]

    @contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """A socket that can be read when a signal came."""
        reading, writing = socket.socketpair()
        writing.setblocking(False)
        reading.setblocking(False)
        before = {sig: signal.signal(sig, self._on_signal) for sig in (signal.SIGINT, signal.SIGTERM)}
        descriptor = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            yield reading
        finally:
            signal.set_wakeup_fd(descriptor)
            for sig, handler in before.items():
                signal.signal(sig, handler)
            reading.close()
            writing.close()

    def _on_signal(self, sig: int, frame: FrameType | None) -> None:
        self._hurry = self.ended_by is not None and sig == signal.SIGINT
        self.ended_by = self.ended_by or sig


def _how(process: BaseProcess) -> str:
    """How a process ended."""
    code = process.exitcode
    assert code is not None
    return f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"
