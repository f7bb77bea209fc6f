"""Which seconds each window of a signal is whose samples carry their times."""

from __future__ import annotations

import math
from fractions import Fraction

from bindrt.streams.feeds.grid import check_window, exact


class TimeGrid:
    """The windows after an origin, one after the other.

    Args:
        window, hop: seconds.

    Attributes:
        origin: the start of window 0; None until there is a first sample.
        number: of the next window.
    """

    def __init__(self, window: float, hop: float) -> None:
        check_window(window, hop)
        self.window = float(window)
        self._window, self._hop = exact(window), exact(hop)
        self.origin: float | None = None
        self.number = 0

    def begin(self, time: float) -> None:
        self.origin, self.number = time, 0

    def start_of(self, number: int) -> float:
        return (self.origin or 0.0) + float(number * self._hop)

    def end_of(self, number: int) -> float:
        return (self.origin or 0.0) + float(number * self._hop + self._window)

    @property
    def start(self) -> float:
        """The start of the next window."""
        return self.start_of(self.number)

    @property
    def end(self) -> float:
        return self.end_of(self.number)

    def numbers_before(self, time: float) -> int:
        """How many windows from the next one on start before ``time``."""
        ahead = Fraction(time - self.start) / self._hop
        return max(math.ceil(ahead - Fraction(1, 1_000_000)), 0)
