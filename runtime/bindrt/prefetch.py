"""Results of calls in order; some calls run ahead of time on other threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache, partial
from typing import TypeVar

from bindrt.wanted import wanted_until

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetched(
    call: Callable[[Item], Result], items: Sequence[Item], most: int
) -> Generator[Callable[[], Result]]:
    """For each item a function that returns ``call(item)``, or raises what it raised.

    Args:
        most: how many calls may begin before their results are asked for. When the generator is closed early,
            calls that have not begun are dropped, the others are told that nobody wants them, and it waits
            until they end.
    """
    if len(items) < 2 or most < 1:
        for item in items:
            yield partial(call, item)
        return
    pool = _pool(os.getpid())
    waiting: deque[Future[Result]] = deque()
    stopped = threading.Event()
    try:
        for item in items:
            waiting.append(_submitted(pool, partial(_call, call, item, stopped)))
            if len(waiting) > most:
                yield waiting.popleft().result
        while waiting:
            yield waiting.popleft().result
    finally:
        stopped.set()  # Ctrl-C need not wait for the end of a long video
        wait([future for future in waiting if not future.cancel()])


def _call(call: Callable[[Item], Result], item: Item, stopped: threading.Event) -> Result:
    with wanted_until(stopped):
        return call(item)


def _submitted(pool: ThreadPoolExecutor, call: Callable[[], Result]) -> Future[Result]:
    try:
        return pool.submit(call)
    except RuntimeError:  # the main thread has ended, and pools take no calls any more: made here and now
        made: Future[Result] = Future()
        try:
            made.set_result(call())
        except Exception as error:
            made.set_exception(error)
        return made


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """Shared by all models of a process; a forked child has one of its own."""
    return ThreadPoolExecutor(os.cpu_count() or 1, "bindrt-prepare")
