"""Results of an unbounded iterable, in order and in constant memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bindrt.errors import Error
from bindrt.notes import Notes
from bindrt.pipeline.futures import EmbeddingFuture, Vector

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
    items: Iterable[Item], submit: Callable[[Item], EmbeddingFuture], prefetch: int, skip: bool, name: str
) -> Iterator[Streamed[Item]]:
    """Results in the items' order, with up to ``prefetch`` items taken ahead; what is in work when the
    caller stops early, or at an error, is cancelled."""
    waiting: deque[tuple[int, Item, Future[Vector]]] = deque()

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

    source = enumerate(items)
    try:
        for index, item in source:
            waiting.append((index, item, submit(item)))
            if len(waiting) >= prefetch:
                yield first()
        while waiting:
            yield first()
    finally:
        for _, _, future in waiting:
            future.cancel()
