"""The end of the process: no thread may be in an engine when the interpreter goes.

A library in C++, ONNX Runtime for example, aborts the process if a thread comes back from it to an
interpreter that is gone. So the interpreter's exit waits for the engine calls that run, and lets no other
begin.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import NoReturn

from bindrt.errors import ClosedError

#: Seconds that the exit waits for an engine call: one batch.
LONGEST_CALL = 60.0


class Gate:
    """``with gate:`` around each call that must not be interrupted by the end.

    Attributes:
        is_ending: no new call of a model may begin.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self.is_ending = False
        self._shut = False

    def __enter__(self) -> None:
        with self._changed:
            if not self._shut:
                self._inside += 1
                return
        stay_out()

    def begin(self) -> None:
        """The end of the process begins: no new call of a model."""
        self.is_ending = True

    def require_running(self) -> None:
        """At the end of the process a daemon thread stays here for ever; others get a ClosedError."""
        if self.is_ending:
            stay_out()

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            if self._shut:
                self._changed.notify_all()

    def shut(self, seconds: float = LONGEST_CALL) -> None:
        """Let nobody in any more, and wait until nobody is inside."""
        with self._changed:
            self.is_ending = self._shut = True
            self._changed.wait_for(lambda: self._inside == 0, seconds)

    def reset(self) -> None:
        """In a forked child, where the threads that were inside do not exist."""
        self.__init__()  # type: ignore[misc]


def stay_out() -> NoReturn:
    """A daemon thread stays here for ever; others get a ClosedError."""
    if not threading.current_thread().daemon:
        raise ClosedError("", "the program is ending", "call it before")
    while True:  # the process ends under it; an error would be printed while nobody can print any more
        threading.Event().wait()


#: Every call of an engine goes through it.
engine_gate = Gate()
atexit.register(engine_gate.shut)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=engine_gate.reset)
