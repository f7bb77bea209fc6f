"""Threads that give way to the others of this program."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")

#: Steps of niceness. On a busy core a thread gets about a tenth of what one without gets.
STEPS = 10


def giving_way(make: Callable[[], Made]) -> Made:
    """What ``make`` makes. Threads that it starts run when threads with more claim leave a core free.

    On Linux a thread has a niceness of its own and inherits that of the thread which starts it. Elsewhere
    it is the process's, and nothing changes.
    """
    if sys.platform != "linux":
        return make()
    with ThreadPoolExecutor(1, "bindrt-start", initializer=_step_back) as starter:
        return starter.submit(make).result()


def _step_back() -> None:
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + STEPS, 19))
