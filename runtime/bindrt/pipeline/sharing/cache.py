"""Vectors of items that were computed before, the least recently used forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from bindrt.notes import Notes
from bindrt.statistics import Counts

#: What an entry takes besides its vector and notes: the key, the objects, their places in the dictionary.
ENTRY_BYTES = 400
NOTE_BYTES = 150


@dataclass(frozen=True)
class Result:
    """A vector's bytes (float32), the item's modality, and what preprocessing reported about it."""

    modality: str
    vector: bytes
    notes: Notes

    def size(self) -> int:
        return ENTRY_BYTES + len(self.vector) + NOTE_BYTES * len(self.notes)


class ResultCache:
    """Holds at most ``limit`` bytes. It has no lock of its own: the deduplicator's guards it."""

    def __init__(self, limit: int, counts: Counts) -> None:
        self._limit = limit
        self._counts = counts
        self._results: OrderedDict[bytes, Result] = OrderedDict()
        self._held = 0

    def get(self, key: bytes) -> Result | None:
        result = self._results.get(key)
        if result is not None:
            self._results.move_to_end(key)
        return result

    def put(self, key: bytes, result: Result) -> None:
        """Keep a result, if it fits at all."""
        if result.size() > self._limit:
            return
        if key in self._results:
            self._forget(key)
        self._results[key] = result
        self._count(result, 1)
        while self._held > self._limit:
            oldest = next(iter(self._results))
            self._counts.add(self._results[oldest].modality, evicted=1)
            self._forget(oldest)

    def clear(self) -> None:
        for key in list(self._results):
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        self._count(self._results.pop(key), -1)

    def _count(self, result: Result, sign: int) -> None:
        self._held += sign * result.size()
        self._counts.add(result.modality, cached=sign, cached_bytes=sign * result.size())
