"""Vectors of items that were computed before, the least recently used forgotten first."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

Notes = Mapping[str, "float | int | str"]

#: What an entry takes besides its vector and notes: the key, the objects, their places in the dictionary.
ENTRY_BYTES = 400
NOTE_BYTES = 150


@dataclass(frozen=True)
class Result:
    """A vector's bytes (float32) and what preprocessing reported. Of the item's modality."""

    modality: str
    vector: bytes
    notes: Notes

    def size(self) -> int:
        return ENTRY_BYTES + len(self.vector) + NOTE_BYTES * len(self.notes)


class ResultCache:
    """Holds at most ``limit`` bytes. Not safe by itself: the deduplicator's lock guards it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._results: OrderedDict[bytes, Result] = OrderedDict()
        self._held = 0
        self.bytes: Counter[str] = Counter()  # by modality
        self.entries: Counter[str] = Counter()
        self.evicted: Counter[str] = Counter()

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
            self.evicted[self._results[oldest].modality] += 1
            self._forget(oldest)

    def clear(self) -> None:
        for key in list(self._results):
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        self._count(self._results.pop(key), -1)

    def _count(self, result: Result, sign: int) -> None:
        self._held += sign * result.size()
        self.bytes[result.modality] += sign * result.size()
        self.entries[result.modality] += sign
