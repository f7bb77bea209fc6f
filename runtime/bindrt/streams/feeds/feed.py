"""The contract of a feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from bindrt.items import Prepared
from bindrt.notes import Notes
from bindrt.streams.feeds.counts import Counts


@dataclass(frozen=True, eq=False)
class ReadyWindow:
    """One window, prepared.

    Attributes:
        start, end: seconds on the sensor's clock.
        item: the model's input, within 1e-5 of what :mod:`bindrt.preprocess` makes of the window cut from the
            whole recording. Of equal views it has one.
        notes: what a user should know: gaps, changed order, what preparing it found.
        arrived: ``time.monotonic()`` when the last piece of it came.
    """

    start: float
    end: float
    item: Prepared
    notes: Notes = field(default_factory=dict)
    arrived: float = 0.0


class Feed(Protocol):
    """Takes a signal piece by piece. One thread uses it at a time.

    Attributes:
        counts: what became of the pieces and windows so far.
        last_error: why the last window that was lost could not be made; empty if none was.
    """

    @property
    def counts(self) -> Counts: ...
    @property
    def last_error(self) -> str: ...

    def push(self, data: Any, time: Any = None) -> list[ReadyWindow]:
        """The windows that are complete with this piece, in order.

        Args:
            data: what the sensor gave.
            time: seconds on the sensor's clock; None: it follows what came before.

        Raises:
            InputError: the piece is of another kind, shape or dtype. Nothing of it is taken.
        """
        ...

    def end(self) -> list[ReadyWindow]:
        """The windows that waited for more, which does not come. Nothing is pushed afterwards."""
        ...
