"""``await model.aembed(...)``: all items of a call, without a thread that waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

import numpy as np

from bindrt.batching import Outcome
from bindrt.ending import engine_gate
from bindrt.engines import Engine
from bindrt.errors import ClosedError, Error
from bindrt.pipeline.bulk import Bulk
from bindrt.pipeline.futures import PATIENCE, EmbeddingFuture, Vector
from bindrt.pipeline.pipelines import Pipelines
from bindrt.pipeline.request_options import RequestOptions
from bindrt.pipeline.stages import watcher


async def embed_together(bulks: Mapping[str, Bulk]) -> dict[str, Outcome]:
    """The vectors of all items. At an error without ``skip``, and when cancelled, the rest is cancelled."""
    loop = asyncio.get_running_loop()
    left = dict(bulks)
    outcomes = {}
    try:
        while True:
            outcomes.update({m: bulk.finished() for m, bulk in left.items() if bulk.step()})
            left = {m: bulk for m, bulk in left.items() if m not in outcomes}
            if not left:
                return {m: outcomes[m] for m in bulks}
            progress = loop.create_future()
            wake = partial(_wake, loop, progress)
            waits = [bulk.call_when(wake) for bulk in left.values()]
            if all(waits):
                if any(bulk.is_full for bulk in left.values()):
                    await asyncio.wait([progress], timeout=PATIENCE)
                else:
                    await progress
    except BaseException:
        for bulk in bulks.values():
            bulk.cancel()
        raise
    finally:
        if (watching := watcher()) is not None:
            watching.update((m, stages) for m, bulk in bulks.items() if (stages := bulk.stages()) is not None)


async def embed_each(
    pipelines: Pipelines,
    engine: Callable[[str], Engine],
    items: Mapping[str, Sequence[object]],
    embed_dim: int,
    options: RequestOptions,
    skip: bool,
) -> dict[str, Outcome]:
    """As ``embed_together``, for items that may equal others: each has a future of its own."""
    loop = asyncio.get_running_loop()
    futures: list[tuple[str, int, EmbeddingFuture]] = []
    try:
        for modality, index, item in _all(items):
            future = pipelines.future(modality)
            if pipelines.shares:
                await asyncio.to_thread(pipelines.identify, future, item, options.normalize)
            while not pipelines.try_submit(future, item, engine, options):
                progress = loop.create_future()
                pipelines.call_on_progress(partial(_wake, loop, progress))
                if pipelines.try_submit(future, item, engine, options):
                    break
                await asyncio.wait([progress], timeout=PATIENCE)  # an embed that makes room tells nobody
            futures.append((modality, index, future))
        outcomes = {
            m: Outcome(np.full((len(given), embed_dim), np.nan, np.float32)) for m, given in items.items()
        }
        for modality, index, future in futures:
            outcome = outcomes[modality]
            try:
                vector: Vector = await asyncio.wrap_future(future)
                outcome.rows[index] = vector
            except Error as error:
                if isinstance(error, ClosedError):
                    engine_gate.require_running()
                named = error.at(f"{modality}[{index}]")
                if not skip:
                    raise named from None
                outcome.errors[index] = named
            if future.notes:
                outcome.notes[index] = future.notes
        return outcomes
    finally:
        for _, _, future in futures:
            future.cancel()


def _all(items: Mapping[str, Sequence[object]]) -> Iterator[tuple[str, int, object]]:
    for modality, given in items.items():
        for index, item in enumerate(given):
            yield modality, index, item


def _wake(loop: asyncio.AbstractEventLoop, progress: asyncio.Future[None]) -> None:
    def done() -> None:
        if not progress.done():
            progress.set_result(None)

    with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
        loop.call_soon_threadsafe(done)
