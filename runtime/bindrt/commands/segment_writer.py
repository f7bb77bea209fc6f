"""Collects the rows of a run and writes them in segments."""

from __future__ import annotations

from time import monotonic

from bindrt.commands.rows import Row
from bindrt.commands.segments import Segments

#: A segment is written when it has this many rows, or when its first row is this old.
SEGMENT_ROWS = 512
SEGMENT_SECONDS = 5.0


class SegmentWriter:
    """Collects rows and writes them in segments."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._open: tuple[int, list[Row]] = (segments.next_number(), [])
        self._since = monotonic()

    def add(self, row: Row) -> None:
        self._open[1].append(row)
        if len(self._open[1]) >= SEGMENT_ROWS:
            self.flush()
        self.flush_old()

    def flush_old(self) -> None:
        if self._open[1] and monotonic() - self._since >= SEGMENT_SECONDS:
            self.flush()

    def flush(self) -> None:
        first, rows = self._open
        self._segments.write(rows, first)
        # After an interrupt before the next line the same segment is written again.
        self._open = (first + len(rows), [])
        self._since = monotonic()
        self._segments.merge()
