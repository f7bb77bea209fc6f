"""Results of calls in order; some calls run ahead of time on other threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache, partial
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetched(
    call: Callable[[Item], Result], items: Sequence[Item], most: int
) -> Generator[Callable[[], Result]]:
    """For each item a function that returns ``call(item)``, or raises what it raised.

    Args:
        most: how many calls may begin before their results are asked for. When the generator is closed early,
            calls that have not begun are dropped, and it waits for the others.
    """
    if len(items) < 2 or most < 1:
        for item in items:
            yield partial(call, item)
        return
    pool = _pool(os.getpid())
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(call, item))
            if len(waiting) > most:
                yield waiting.popleft().result
        while waiting:
            yield waiting.popleft().result
    finally:
        wait([future for future in waiting if not future.cancel()])


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """Shared by all models of a process; a forked child has one of its own."""
    return ThreadPoolExecutor(os.cpu_count() or 1, "bindrt-prepare")
