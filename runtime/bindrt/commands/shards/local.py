"""Blocks in this process: some at a time, by one model."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from bindrt.commands.shards.blocks import NumberedBlock
from bindrt.commands.shards.worker import Done, Job, Worker

#: Blocks in work at once, so that the engine has work while one begins or ends.
TOGETHER = 2


def run_here(job: Job, blocks: Iterable[NumberedBlock]) -> Iterator[Done]:
    """Embeds blocks; what became of each, in their order."""
    worker = Worker(job)
    threads = ThreadPoolExecutor(TOGETHER, "bindrt-blocks")
    waiting: deque[Future[Done]] = deque()
    try:
        for block in blocks:
            waiting.append(threads.submit(worker.write, block))
            if len(waiting) > TOGETHER:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
        worker.close()
