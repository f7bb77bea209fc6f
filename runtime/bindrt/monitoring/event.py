"""What a monitor looks at, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class Window(Protocol):
    """A piece of a stream with its vector: a result of ``model.live``, ``model.join`` or anything alike."""

    @property
    def vector(self) -> Any:
        """Numbers ``[D]``."""

    @property
    def start(self) -> float:
        """Where it begins, in seconds of the sensor's clock."""

    @property
    def end(self) -> float:
        """Where it ends; for a single frame the same as ``start``."""


@dataclass(frozen=True)
class Event:
    """A time in which a monitor's prompts were found.

    Attributes:
        name: the name of the prompts.
        start: where it began, in seconds of the sensor's clock.
        end: where it ended. Of an event that goes on: how far it is certain by now.
        peak: the middle of the window that scored most.
        score: the score of that window.

    >>> Event("bell", start=1.0, end=3.5, peak=2.0, score=0.61).end
    3.5
    """

    name: str
    start: float
    end: float
    peak: float
    score: float
