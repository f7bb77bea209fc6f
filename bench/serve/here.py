"""The same work without a server: the model in this process."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import bindrt


def throughput(model: bindrt.Model, modality: str, given: list[Any], threads: int, seconds: float) -> float:
    """Items a second that ``embed`` gives to so many threads, each with its batch."""
    end = time.perf_counter() + seconds
    start = time.perf_counter()

    def turns(_: int) -> int:
        done = 0
        while time.perf_counter() < end:
            model.embed(**{modality: given})
            done += len(given)
        return done

    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(turns, range(threads)))
    return done / (time.perf_counter() - start)


def latencies(
    model: bindrt.Model, item: dict[str, Any], times: list[float]
) -> tuple[list[float], list[float]]:
    """Seconds from the time at which each request was due to its result, as asyncio programs see it.

    Then the seconds of these in which the request had not begun: the event loop was late.

    Args:
        item: by its modality.
    """

    async def one(start: float, at: float) -> tuple[float, float]:
        await asyncio.sleep(max(0.0, start + at - time.perf_counter()))
        late = time.perf_counter() - start - at
        await model.aembed(**item)
        return time.perf_counter() - start - at, late

    async def all_of_them() -> list[tuple[float, float]]:
        start = time.perf_counter() + 0.05
        return await asyncio.gather(*(one(start, at) for at in times))

    found = asyncio.run(all_of_them())
    return [each[0] for each in found], [each[1] for each in found]
