"""Rates of a resampling and which samples it reads; ``bindrt._core.resample`` does it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from bindrt.modalities.steps.constants import RESAMPLE_ROLLOFF, RESAMPLE_WIDTH


@dataclass(frozen=True)
class Resampler:
    """From ``orig`` to ``new`` samples per second, both divided by their greatest common divisor."""

    orig: int
    new: int

    @classmethod
    def of(cls, rate: Fraction, new_rate: int) -> Resampler:
        """The resampler between two rates in Hz."""
        ratio = rate / new_rate
        return cls(ratio.numerator, ratio.denominator)

    @cached_property
    def half(self) -> int:
        """Input samples on each side of an output that contribute to it."""
        base = min(self.orig, self.new) * RESAMPLE_ROLLOFF
        return math.ceil(RESAMPLE_WIDTH * self.orig / base)

    def length(self, samples: int) -> int:
        """Output samples for ``samples`` input samples."""
        return -(-samples * self.new // self.orig)

    def needed(self, wanted: range) -> range:
        """The inputs that the outputs ``wanted`` depend on; may reach outside the signal."""
        if self.orig == self.new or len(wanted) == 0:
            return wanted
        first = wanted.start * self.orig // self.new
        last = (wanted.stop - 1) * self.orig // self.new
        return range(first - self.half, last + self.half + 1)
