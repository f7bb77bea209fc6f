"""Results of an unbounded iterable, in order and in constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bindrt.errors import Error
from bindrt.notes import Notes
from bindrt.pipeline.futures import Vector

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Streamed(Generic[Item]):
    """One result of a stream.

    Attributes:
        index: the item's index, from 0.
        item: the item, as the iterable gave it.
        vector: float32 ``[D]``; None if there is an error.
        error: the item's error, with ``on_error="skip"``.
        notes: what preprocessing reports about the item.

    >>> next(model.stream("text", iter(["a bell ringing"]))).vector.shape
    (96,)
    """

    index: int
    item: Item
    vector: Vector | None
    error: Error | None = None
    notes: Notes = field(default_factory=dict)


def stream(
    items: Iterable[Item],
    hold: Callable[[Item], object],
    submit: Callable[[list[object]], Sequence[Future[Vector]]],
    prefetch: int,
    skip: bool,
    name: str,
) -> Iterator[Streamed[Item]]:
    """Results in the items' order, with up to ``prefetch`` items taken ahead; what is in work when the
    caller stops early, or at an error, is cancelled.

    Args:
        hold: makes what may wait of an item, before the next one is taken.
        submit: takes some items that follow each other, so many together that its cost hardly counts.
    """
    together = max(1, prefetch // 4)
    taken: list[tuple[int, Item]] = []
    held: list[object] = []
    waiting: deque[tuple[int, Item, Future[Vector]]] = deque()

    def submit_taken() -> None:
        futures = submit(held.copy())
        waiting.extend((*each, future) for each, future in zip(taken, futures, strict=True))
        taken.clear()
        held.clear()

    def first() -> Streamed[Item]:
        index, item, future = waiting.popleft()
        try:
            vector = future.result()
        except Error as error:
            named = error.at(f"{name}[{index}]")
            if not skip:
                raise named from None
            return Streamed(index, item, None, named)
        return Streamed(index, item, vector, notes=getattr(future, "notes", {}))

    try:
        for each in enumerate(items):
            taken.append(each)
            held.append(hold(each[1]))
            if len(taken) == together:
                submit_taken()
            if len(taken) + len(waiting) >= prefetch:
                yield first()
        submit_taken()
        while waiting:
            yield first()
    finally:
        for _, _, future in waiting:
            future.cancel()
