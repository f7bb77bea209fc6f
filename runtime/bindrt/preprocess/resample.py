"""Resampling by a Hann-windowed sinc, for any rational pair of rates, any part of the output."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bindrt.arrays import Array
from bindrt.preprocess.constants import RESAMPLE_ROLLOFF, RESAMPLE_WIDTH

_MAX_TABLE = 1 << 20  # taps kept per rate pair; beyond, they are computed as needed
_MAX_CHUNK = 1 << 19  # taps held at once


@dataclass(frozen=True)
class Resampler:
    """From ``orig`` to ``new`` samples per second, both divided by their greatest common divisor.

    With ``base = 0.99·min(orig, new)``, output ``i`` is the sum over inputs ``k`` of
    ``x[k] · base/orig · sinc(t) · cos²(πt/12)``, ``t = (k/orig - i/new)·base``, ``|t| < 6``. Inputs
    outside the signal are zero. Only the taps that are not zero are computed: about ``12·orig/base``.
    """

    orig: int
    new: int

    @classmethod
    def of(cls, rate: Fraction, new_rate: int) -> Resampler:
        """The resampler between two rates in Hz."""
        ratio = rate / new_rate
        return cls(ratio.numerator, ratio.denominator)

    @property
    def base(self) -> float:
        """The cut-off, in the units of the reduced rates."""
        return min(self.orig, self.new) * RESAMPLE_ROLLOFF

    @property
    def half(self) -> int:
        """Input samples on each side of an output that contribute to it."""
        return math.ceil(RESAMPLE_WIDTH * self.orig / self.base)

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

    def run(self, inputs: Array, wanted: range) -> Array:
        """Outputs ``wanted``, float32, from ``inputs``, the samples of ``needed(wanted)``."""
        if self.orig == self.new or len(wanted) == 0:
            return np.array(inputs, np.float32)
        first = wanted.start * self.orig // self.new
        taps = 2 * self.half + 1
        windows = sliding_window_view(inputs.astype(np.float64), taps)
        table = _table(self) if self.new * taps <= _MAX_TABLE else None
        out = np.empty(len(wanted), np.float32)
        step = max(1, _MAX_CHUNK // taps)
        for begin in range(0, len(wanted), step):
            i = np.arange(wanted.start + begin, min(wanted.start + begin + step, wanted.stop), dtype=np.int64)
            kernel = self.kernel(i % self.new) if table is None else table[i % self.new]
            out[begin : begin + len(i)] = np.einsum(
                "ij,ij->i", windows[i * self.orig // self.new - first], kernel
            )
        return out

    def kernel(self, phase: Array) -> Array:
        """Taps ``[len(phase), 2·half+1]`` for the outputs ``i = phase`` (modulo ``new``).

        ``t`` is rounded to float32 at each step as the original rounds it. For rates with a small
        common divisor that moves the taps by up to 1e-3, and with them the result.
        """
        phase = np.asarray(phase, np.int64)
        near = phase * self.orig // self.new
        index = near[:, None] + np.arange(-self.half, self.half + 1)
        behind = (-phase).astype(np.float32) / np.float32(self.new)
        t = (behind[:, None] + index.astype(np.float32) / np.float32(self.orig)) * np.float32(self.base)
        t = np.clip(t, -RESAMPLE_WIDTH, RESAMPLE_WIDTH).astype(np.float64)
        window = np.cos(t * (np.pi / RESAMPLE_WIDTH / 2)) ** 2
        taps: Array = np.sinc(t) * window * (self.base / self.orig)
        return taps


@lru_cache(maxsize=16)
def _table(resampler: Resampler) -> Array:
    return resampler.kernel(np.arange(resampler.new))
