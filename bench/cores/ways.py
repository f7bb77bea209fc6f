"""The ways from items to rows or vectors: prepared in threads, through the pipeline, by ``embed``."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from time import perf_counter
from typing import Any

import numpy as np

import bindrt
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities import MODALITIES
from bindrt.preprocess.dispatch import prepare_views

#: Rows of an engine call, and requests in work at once.
BATCH, IN_WORK = 64, 256


class FreeEngine:
    """Costs nothing: every vector is the same."""

    name = "free"
    device = "cpu"
    precision = "fp32"
    max_batch = BATCH

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        out.fill(1)


def free_model(modality: str) -> bindrt.Model:
    """bind-tiny with an engine that costs nothing; all else is as users have it."""
    return bindrt.load("tiny", modalities=[modality], engines={MODALITIES[modality].encoder: FreeEngine()})


def preparing(modality: str, given: Sequence[Any], together: int = 1) -> Callable[[], int]:
    """Prepares one item a call, into rows that are there already, as the pipeline does; or some texts."""
    if together > 1:
        return partial(_prepare_texts, repeated(given, together))
    rows: dict[int, np.ndarray] = {}

    def reserve(count: int) -> np.ndarray:
        if count not in rows:
            rows[count] = np.empty((count, *MODALITIES[modality].view), np.float32)
        return rows[count]

    turn = cycle(given)

    def work() -> int:
        prepare_views(modality, next(turn), DEFAULT_LIMITS, reserve)
        return 1

    return work


def _prepare_texts(texts: list[str]) -> int:
    return len(bindrt.preprocess.text(texts))


def prepared_a_second(
    modality: str, given: Sequence[Any], threads: int, seconds: float, together: int = 1
) -> float:
    """Items that so many threads prepare in a second."""
    works = [preparing(modality, given, together) for _ in range(threads)]
    for work in works:
        work()
    counts, begins = [0] * threads, threading.Barrier(threads + 1)
    end = [0.0]

    def run(number: int) -> None:
        begins.wait()
        while perf_counter() < end[0]:
            counts[number] += works[number]()

    started = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in started:
        thread.start()
    begin = perf_counter()
    end[0] = begin + seconds
    begins.wait()
    for thread in started:
        thread.join()
    return sum(counts) / (perf_counter() - begin)


def submitting(
    model: bindrt.Model, modality: str, given: Sequence[Any], together: int = 1
) -> Callable[[], int]:
    """A call submits one item or some, and takes the oldest results where there are many in work."""
    turn, waiting, many = cycle(given), deque[Any](), repeated(given, together)

    def work() -> int:
        if together > 1:
            waiting.extend(model.submit_many(modality, many))  # type: ignore[arg-type]
        else:
            waiting.append(model.submit(modality, next(turn)))  # type: ignore[call-overload]
        while len(waiting) > IN_WORK:
            waiting.popleft().result()
        return together

    return work


def submit_all(model: bindrt.Model, modality: str, given: Sequence[Any]) -> None:
    for future in [model.submit(modality, item) for item in given]:  # type: ignore[call-overload]
        future.result()


def embed_all(model: bindrt.Model, modality: str, given: Sequence[Any]) -> None:
    model.embed(**{modality: list(given)})  # type: ignore[arg-type]


def repeated(given: Sequence[Any], count: int) -> list[Any]:
    return list(islice(cycle(given), count))
