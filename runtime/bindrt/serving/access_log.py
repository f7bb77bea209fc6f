"""Writes the access log without holding the server up: lines beyond those that may wait are dropped."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

#: Each request is told here, at the level INFO.
ACCESS = logging.getLogger("bindrt.serving.access")
#: Lines that wait to be written.
MOST_WAITING = 10_000
#: Bytes that a pipe takes as a whole: lines of several workers do not mix.
_TOGETHER = 4096
#: Seconds in which further lines come to one that was the only one: a thread is woken for all of them, and
#: not for each, which costs whoever logs more than the rest of it.
_GATHERED = 0.02
#: Seconds that the end of the server waits for somebody who reads.
_PATIENCE = 1.0


class LineWriter(logging.Handler):
    """Writes lines to a file descriptor in a thread of its own. Whoever logs never waits.

    Attributes:
        dropped: lines that were not written, since too many waited or nobody can read them any more.
    """

    def __init__(self, descriptor: int, most: int = MOST_WAITING) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._most = most
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._is_ending = self._is_broken = False
        self._written = 0  # bytes
        self.dropped = 0
        # A daemon: where nobody reads, it waits for ever, and the process must end all the same.
        self._thread = threading.Thread(target=self._write_all, name="bindrt access log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{record.getMessage()}\n".encode()
        with self._changed:
            if self._is_broken or len(self._waiting) >= self._most:
                self.dropped += 1
            else:
                self._waiting.append(line)
                if len(self._waiting) == 1:
                    self._changed.notify()

    def close(self) -> None:
        """Writes what waits, unless nobody reads it."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        before = -1
        while self._thread.is_alive() and before != self._written:
            before = self._written
            self._thread.join(_PATIENCE)
        super().close()

    def _write_all(self) -> None:
        while lines := self._next():
            left = memoryview(b"".join(lines))
            try:
                while left:
                    count = os.write(self._descriptor, left)
                    self._written += count
                    left = left[count:]
            except OSError:  # whoever read it has gone
                with self._changed:
                    self._is_broken = True
                    self.dropped += len(lines) + len(self._waiting)
                    self._waiting.clear()

    def _next(self) -> list[bytes]:
        """The lines to write next; none when it ends."""
        with self._changed:
            if not self._waiting:
                self._changed.wait_for(lambda: self._waiting or self._is_ending)
                self._changed.wait_for(lambda: self._is_ending, _GATHERED)
            found: list[bytes] = []
            size = 0
            while self._waiting and (not found or size + len(self._waiting[0]) <= _TOGETHER):
                found.append(self._waiting.popleft())
                size += len(found[-1])
            return found


def dropped_lines() -> int:
    """Lines of the access log that this process did not write."""
    return sum(each.dropped for each in ACCESS.handlers if isinstance(each, LineWriter))


@contextmanager
def written(descriptor: int) -> Iterator[None]:
    """While inside, the access log is written there, and nowhere else."""
    writer = LineWriter(descriptor)
    ACCESS.addHandler(writer)
    ACCESS.setLevel(logging.INFO)
    ACCESS.propagate = False
    try:
        yield
    finally:
        ACCESS.removeHandler(writer)
        writer.close()
