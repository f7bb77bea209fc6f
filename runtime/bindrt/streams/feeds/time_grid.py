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
        start, end: of the next window. They are looked at for each sample, so they are kept.
    """

    def __init__(self, window: float, hop: float) -> None:
        check_window(window, hop)
        self.window = float(window)
        self._window, self._hop = exact(window), exact(hop)
        self.clear()

    def clear(self) -> None:
        """There is no first sample."""
        self.origin: float | None = None
        self._place(0)

    def begin(self, time: float) -> None:
        self.origin = time
        self._place(0)

    def advance(self, windows: int = 1) -> None:
        """On to a later window."""
        self._place(self._number + windows)

    def numbers_before(self, time: float) -> int:
        """How many windows from the next one on start before ``time``."""
        ahead = Fraction(time - self.start) / self._hop
        return max(math.ceil(ahead - Fraction(1, 1_000_000)), 0)

    def _place(self, number: int) -> None:
        self._number = number
        begin, origin = number * self._hop, self.origin or 0.0
        self.start, self.end = origin + float(begin), origin + float(begin + self._window)
