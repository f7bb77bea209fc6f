"""Which samples each window of a signal is."""

from __future__ import annotations

import math
from fractions import Fraction

from bindrt.errors import OptionError
from bindrt.numeric import is_positive

_FINEST = 1_000_000  # parts of a second in which windows and hops are counted


class WindowGrid:
    """The windows of a signal of a fixed rate, one after the other.

    After a gap the windows keep their distance of whole hops, so that each is either made or lost.

    Args:
        rate: samples per second.
        window, hop: seconds.

    Attributes:
        first: the sample where the first window of this run of samples begins.
        start, end: the first sample of the next window, and the one after its last. They are looked at for
            each block, so they are kept.

    Raises:
        OptionError: the window or the hop is not above 0, or shorter than a sample.
    """

    def __init__(self, rate: Fraction, window: float, hop: float) -> None:
        check_window(window, hop)
        self.length = round(exact(window) * rate)
        self.hop = exact(hop) * rate
        self._whole = self.hop.numerator if self.hop.denominator == 1 else 0
        if self.length < 1 or self.hop < 1:
            raise OptionError(f"window={window:g}, hop={hop:g}", "shorter than a sample", "make it longer")
        self._begin(0)

    def advance(self) -> None:
        """On to the next window."""
        self._place(self._number + 1)

    def resume(self, behind: float) -> int:
        """Continue in a new run of samples; the number of windows that are lost.

        Args:
            behind: samples from the start of the next window to the first sample of the new run.
        """
        lost = self._lost(behind)
        self._begin(max(round(float(lost * self.hop) - behind), 0))
        return lost

    def restart(self, behind: float) -> int:
        """Begin anew with a new run of samples; the number of windows that were begun and are lost."""
        lost = self._lost(behind)
        self._begin(0)
        return lost

    def _lost(self, behind: float) -> int:
        return max(math.ceil(behind / float(self.hop) - 1e-6), 0)

    def _begin(self, first: int) -> None:
        self.first = first
        self._place(0)

    def _place(self, number: int) -> None:
        self._number = number
        # Hops of whole samples are integers: fractions take several times as long.
        self.start = self.first + round(number * (self._whole or self.hop))
        self.end = self.start + self.length


def check_window(window: object, hop: object) -> None:
    """Raises OptionError unless both are numbers above 0."""
    for name, value in (("window", window), ("hop", hop)):
        if not is_positive(value):
            raise OptionError(f"{name}={value!r}", "not a time", "give a number of seconds above 0")


def exact(seconds: float) -> Fraction:
    """Seconds as a fraction: 0.1 is a tenth."""
    return Fraction(seconds).limit_denominator(_FINEST)
