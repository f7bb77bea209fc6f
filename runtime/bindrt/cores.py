"""How many cores this process may use, and how many threads each part of bindrt takes of them.

There is one budget. Threads that prepare items are as many as the cores; while an engine computes on some of
them, as many threads fewer begin an item. Videos that are decoded at once share the cores among their
decoders.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bindrt import _core

#: Put before the paths of /proc and /sys; tests have made-up ones.
ROOT = ""
#: FFmpeg takes no more by itself: each thread of a decoder keeps frames, and few videos gain by more.
MOST_OF_A_DECODER = 16


def usable_cores() -> float:
    """Cores that this process may use: its affinity, the quotas of its control groups, Python's own limit.

    A quota may be a part of a core. Python's limit is ``-X cpu_count`` or ``PYTHON_CPU_COUNT``, from 3.13 on.

    >>> 0 < usable_cores() <= os.cpu_count()
    True
    """
    return _core.usable_cores(ROOT)


def usable_threads() -> int:
    """Threads that keep the usable cores busy, a part of a core counted as one; at least 1.

    >>> usable_threads() >= usable_cores()
    True
    """
    return _core.usable_threads(ROOT)


def told_threads(asked: int | None) -> int | None:
    """Threads to tell a library that computes an encoder; None: its own choice is right.

    Libraries take a thread for each physical core of the machine, whatever quota there is. Where this process
    may use fewer cores than the machine has, they are told.

    Args:
        asked: what the user asked for.
    """
    if asked is not None or usable_threads() >= os.sysconf("SC_NPROCESSORS_ONLN"):
        return asked
    return min(usable_threads(), _core.physical_cores(ROOT))


def computing_threads(asked: int | None) -> int:
    """Threads that such a library computes with."""
    return told_threads(asked) or _core.physical_cores(ROOT)


class Sharing:
    """Threads of decoders that run at once: each that begins gets an equal part of the cores."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """While inside, one more runs."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def threads(self) -> int:
        """For a decoder that begins now, and counts itself as running.

        One more than its part where that is more than one, since one of them waits for the others.
        """
        part = usable_threads() // max(self._running, 1)
        return min(part + 1, MOST_OF_A_DECODER) if part > 1 else 1


#: All videos that this process decodes.
VIDEOS = Sharing()


def _take_pythons_limit() -> None:
    count = getattr(os, "process_cpu_count", None)  # from Python 3.13 on
    given = count() if count is not None else None
    if given is not None and given < _core.usable_cores():
        _core.limit_cores(given)


_take_pythons_limit()
