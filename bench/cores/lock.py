"""How long an item holds the interpreter's lock: a second thread tries the lock at random times.

The times between two tries are exponential, so the share of tries that find the lock taken is the share of
the time that it is taken. A lock counts as taken if the thread sleeps until it gets it. While it waits it
does not try; this time counts as time in which the lock is taken:

    share = (tries that found it taken / tries × (time − time waited) + time waited) / time

The seconds of an item from begin to end, times this share, are the seconds that it holds the lock.

The time waited includes what the system takes to wake the thread, so the result is too large by up to that
part of the time between two tries. The time between tries is 20 times what a first look found, and 0.4 to
10 ms. The thread must have a core of its own: on a machine that is busy the result is too large.
"""

from __future__ import annotations

import ctypes
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter

from bench.paths import BUILD, ROOT

SOURCE = ROOT / "bench" / "cores" / "lock_sampler.cpp"
LIBRARY = BUILD / "lock_sampler.so"
#: Seconds between two tries: of the first look, and at least and at most of the second.
FIRST, LEAST, MOST = 1e-3, 4e-4, 1e-2
#: A hold of the lock times this is the time between two tries.
APART = 20


class _Samples(ctypes.Structure):
    _fields_ = (("all", ctypes.c_int64), ("taken", ctypes.c_int64), ("waited", ctypes.c_double))


@dataclass(frozen=True)
class Held:
    """What the sampling found.

    Attributes:
        seconds: an item holds the lock for.
        error: its standard error.
        share: of the time that the lock was taken.
        tries: how often the lock was tried.
        items: done meanwhile, and ``of`` is the seconds of one from begin to end.
    """

    seconds: float
    error: float
    share: float
    tries: int
    items: int
    of: float


def compiled() -> Path:
    """The sampler; CalledProcessError or OSError where no C++ compiler can make it."""
    if not LIBRARY.exists() or LIBRARY.stat().st_mtime < SOURCE.stat().st_mtime:
        LIBRARY.parent.mkdir(parents=True, exist_ok=True)
        partial = LIBRARY.with_name(f"{os.getpid()}-{LIBRARY.name}")
        options = ["-std=c++20", "-O2", "-shared", "-fPIC", "-o", str(partial), str(SOURCE)]
        if sys.platform == "darwin":
            options += ["-undefined", "dynamic_lookup"]
        subprocess.run([os.environ.get("CXX", "c++"), *options], check=True)
        partial.rename(LIBRARY)
    return LIBRARY


def has_lock() -> bool:
    """Whether this interpreter has such a lock; a free-threaded one has none."""
    enabled: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    return enabled()


@lru_cache(maxsize=1)
def _with_lock() -> ctypes.PyDLL:
    return ctypes.PyDLL(str(compiled()))


@lru_cache(maxsize=1)
def _without_lock() -> ctypes.CDLL:
    return ctypes.CDLL(str(compiled()))


def spin(seconds: float, lock: bool) -> None:
    """Compute for so long, with or without the lock: to try the sampler."""
    library = _with_lock() if lock else _without_lock()
    library.bindrt_bench_spin(ctypes.c_double(seconds))


def held(work: Callable[[], int], seconds: float) -> Held:
    """What ``work`` holds the lock for, an item.

    Args:
        work: does some items and returns their number; called again and again on this thread.
        seconds: to sample for, after a look of a quarter as long.
    """
    first = _sampled(work, seconds / 4, FIRST)
    return _sampled(work, seconds, min(max(APART * first.seconds, LEAST), MOST))


def _sampled(work: Callable[[], int], seconds: float, apart: float) -> Held:
    stop, samples = ctypes.c_int(0), _Samples()
    sample = _with_lock().bindrt_bench_sample_lock
    arguments = (ctypes.c_double(apart), ctypes.byref(stop), ctypes.byref(samples))
    thread = threading.Thread(target=sample, args=arguments, name="lock-sampler")
    items = 0
    thread.start()
    begin = perf_counter()
    try:
        while (taken := perf_counter() - begin) < seconds:
            items += work()
    finally:
        stop.value = 1
        thread.join()
    return _found(samples, items, taken)


def _found(samples: _Samples, items: int, seconds: float) -> Held:
    tries, of = max(samples.all, 1), seconds / max(items, 1)
    found_taken, waited = samples.taken / tries, min(samples.waited / seconds, 1.0)
    share = found_taken * (1 - waited) + waited
    error = math.sqrt(max(share * (1 - share), 1 / tries) / tries)
    return Held(share * of, error * of, share, samples.all, items, of)
