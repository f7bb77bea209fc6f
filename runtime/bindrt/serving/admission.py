"""Bounds on what is accepted at once: items by modality, and bytes of bodies. Past them: try again later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bindrt.errors import Overloaded


class Queue:
    """Counts the items of one model that are accepted and not yet answered. For one event loop.

    Args:
        most: items of one modality.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.held: Counter[str] = Counter()

    @contextmanager
    def room_for(self, counts: Mapping[str, int]) -> Iterator[None]:
        """Holds room for items, by modality, while the block runs.

        Raises:
            Overloaded: there is none now.
        """
        for modality, count in counts.items():
            if self.held[modality] + count > self._most:
                raise Overloaded(
                    modality, f"{self.held[modality]} items wait already", "try again later, or send fewer"
                )
        self.held.update(counts)
        try:
            yield
        finally:
            self.held.subtract(counts)


class Memory:
    """Counts the bytes of bodies that are held. For one event loop.

    Args:
        most: bytes of all of them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def take(self, size: int) -> None:
        """Raises Overloaded if that many more bytes are too many."""
        if self.held + size > self._most:
            raise Overloaded("", "the bodies of other requests fill the memory", "try again later")
        self.held += size

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Takes bytes while the block runs; it raises as :meth:`take`."""
        self.take(size)
        try:
            yield
        finally:
            self.give_back(size)

    def give_back(self, size: int) -> None:
        self.held -= size
