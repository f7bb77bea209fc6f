"""Rows on their way into a store."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Records:
    """Vectors with what belongs to them, a row each; no id is there twice.

    Attributes:
        ids: UUIDs as texts. The same row of the same input has the same one in every run, so what is loaded
            again takes its own place.
        sources: the path or text that was embedded; None where it was neither.
        modalities: of each row.
        metadata: whatever else is known of a row, of the types of JSON.
        vectors: float32 ``[N, D]``, of unit length.
    """

    ids: Sequence[str]
    sources: Sequence[str | None]
    modalities: Sequence[str]
    metadata: Sequence[Mapping[str, Any]]
    vectors: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, begin: int, end: int) -> Records:
        """Some rows that follow each other."""
        at = slice(begin, end)
        return Records(
            self.ids[at], self.sources[at], self.modalities[at], self.metadata[at], self.vectors[at]
        )

    def without_doubles(self) -> Records:
        """The last row of each id."""
        last = {name: row for row, name in enumerate(self.ids)}
        if len(last) == len(self.ids):
            return self
        rows = sorted(last.values())
        return Records(
            [self.ids[row] for row in rows],
            [self.sources[row] for row in rows],
            [self.modalities[row] for row in rows],
            [self.metadata[row] for row in rows],
            self.vectors[rows],
        )


def stable_id(*parts: object) -> str:
    """A UUID that depends on ``parts`` alone.

    >>> stable_id("bell.jpg", "image")
    '5343fee0-5e73-80ee-83c1-d242865f43f1'
    """
    digest = hashlib.sha256("\0".join(map(repr, parts)).encode("utf-8", "surrogateescape")).digest()
    fields = bytearray(digest[:16])
    fields[6], fields[8] = fields[6] & 0x0F | 0x80, fields[8] & 0x3F | 0x80  # version 8: made our own way
    return str(uuid.UUID(bytes=bytes(fields)))


def as_json_value(value: object) -> Any:
    """A value of a table as JSON has it: times as texts, None for what JSON cannot hold.

    >>> as_json_value({"day": date(2026, 5, 1), "scores": [1.5, float("nan")]})
    {'day': '2026-05-01', 'scores': [1.5, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Mapping):
        return {str(name): as_json_value(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json_value(each) for each in value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return None if isinstance(value, (bytes, bytearray)) else str(value)
