"""When the items of a call of ``aembed`` were prepared and computed, for whoever asks before the call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

#: From and to, in nanoseconds of ``time.monotonic_ns``.
Span = tuple[int, int]


class Stages(NamedTuple):
    """The stages of the items of one modality, each from the first item to the last."""

    prepare: Span
    engine: Span


_WATCHED: ContextVar[dict[str, Stages] | None] = ContextVar("bindrt_stages", default=None)


@contextmanager
def watched() -> Iterator[dict[str, Stages]]:
    """What is in it when an ``aembed`` of this task has ended: the stages by modality."""
    found: dict[str, Stages] = {}
    token = _WATCHED.set(found)
    try:
        yield found
    finally:
        _WATCHED.reset(token)


def watcher() -> dict[str, Stages] | None:
    """Where the stages of a call go; None: nobody asks."""
    return _WATCHED.get()
