"""Pieces and windows with the time at which they came, and the results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bindrt.errors import Error
from bindrt.notes import Notes
from bindrt.streams.feeds import ReadyWindow

Vector = npt.NDArray[np.float32]


class Piece(NamedTuple):
    """What was pushed, ready for its feed.

    Attributes:
        data, time: what the feed's ``push`` takes.
        arrived: when, by ``time.monotonic()``.
        seconds: by how much the signal grows.
        newest: the time of its newest sample, if it has one.
        parts: the pieces that it was put together from; empty if it is one as it was pushed.
    """

    data: Any
    time: Any
    arrived: float
    seconds: float
    bytes: int
    newest: float | None = None
    parts: tuple[Piece, ...] = ()


class Arrival(NamedTuple):
    """A window that is ready; or what went wrong with it, or with a piece of no window at ``time``."""

    window: ReadyWindow | None
    arrived: float
    error: Error | None = None
    time: float = 0.0


@dataclass(frozen=True, eq=False)
class LiveWindow:
    """One result of a live stream.

    Attributes:
        vector: float32 ``[D]``; NaN if there is an ``error``.
        start, end: the window, in seconds on the sensor's clock.
        arrived: when its last piece was pushed, by ``time.monotonic()``.
        done: when its vector was there.
        dropped: windows of the stream so far that have no vector.
        notes: what happened in the window: gaps, changed order; see ``bindrt.notes``.
        error: what went wrong with the window, or with a piece; None if nothing did.

    >>> window = LiveWindow(np.zeros(96, np.float32), 0.0, 2.0, arrived=10.0, done=10.1)
    >>> round(window.staleness, 3)
    0.1
    """

    vector: Vector
    start: float
    end: float
    arrived: float
    done: float
    dropped: int = 0
    notes: Notes = field(default_factory=dict)
    error: Error | None = None

    @property
    def staleness(self) -> float:
        """Seconds from the arrival of its last piece to its vector."""
        return self.done - self.arrived
