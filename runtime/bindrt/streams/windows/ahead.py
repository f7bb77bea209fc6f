"""Runs an iterator ahead of its consumer, on a thread: decoding beside preparing beside computing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Generic, TypeVar

from bindrt.errors import ClosedError
from bindrt.wanted import wanted_while

Item = TypeVar("Item")
_LOOK = 0.1  # seconds between looks at whether anybody still wants more


class _StoppedError(Exception):
    """The consumer has left."""


class Ahead(Generic[Item]):
    """The items of an iterator, up to ``most`` of them made before they are asked for.

    What the iterator raises is raised here, after the items before it. :meth:`close` must be called at the
    end, or when nobody wants more: the thread has ended, and the iterator is closed, when it returns.

    Args:
        name: the thread's.
    """

    def __init__(self, items: Iterator[Item], most: int, name: str) -> None:
        self._items = items
        # Two simple queues: one with a bound takes several times as long.
        self._made: queue.SimpleQueue[tuple[Item] | BaseException | None] = queue.SimpleQueue()
        self._room: queue.SimpleQueue[None] = queue.SimpleQueue()  # an entry for each place that is free
        for _ in range(most):
            self._room.put(None)
        self._stopped = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._fill, name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        found = None if self._ended else self._made.get()
        self._room.put(None)
        if isinstance(found, tuple):
            return found[0]
        self._ended = True
        if found is None:
            raise StopIteration
        raise found

    def close(self) -> None:
        self._ended = True
        self._stopped.set()
        self._thread.join()

    def _fill(self) -> None:
        last: BaseException | None = None
        try:
            with wanted_while(lambda: not self._stopped.is_set()):
                for item in self._items:
                    self._put((item,))
        except _StoppedError:
            pass
        except BaseException as error:  # whatever it is, it belongs to the consumer
            last = error
        close = getattr(self._items, "close", None)
        if close is not None:
            with suppress(ClosedError):  # a decoder that notices only now that nobody wants more
                close()
        with suppress(_StoppedError):
            self._put(last)

    def _put(self, entry: tuple[Item] | BaseException | None) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Empty):
                self._room.get(timeout=_LOOK)
                self._made.put(entry)
                return
        raise _StoppedError
