"""Samples of one sensor in the order of their times, as far as a window can still need them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bindrt.arrays import Array
from bindrt.streams.feeds.samples import SampleBuffer


class Merged(NamedTuple):
    """What was done with samples that did not simply come last."""

    reordered: int = 0
    duplicates: int = 0


class TimedSamples:
    """Samples ``[rows, N]`` at increasing times.

    Args:
        rows: numbers of a sample.
    """

    def __init__(self, rows: int) -> None:
        self._buffer = SampleBuffer(1 + rows, np.float64)  # the first row holds the times

    @property
    def times(self) -> Array:
        times: Array = self._all()[0]
        return times

    @property
    def newest(self) -> float | None:
        return float(self.times[-1]) if len(self.times) else None

    def add(self, times: Array, samples: Array) -> Merged:
        """Put samples in their places; of those of the same time the first one stays."""
        newest = self.newest
        block = np.concatenate([times[None], samples])
        if (newest is None or times[0] > newest) and (times[1:] > times[:-1]).all():
            self._buffer.append(block)
            return Merged()
        highest = np.maximum.accumulate(np.concatenate([[-np.inf if newest is None else newest], times]))
        reordered = int((times < highest[:-1]).sum())
        at = int(np.searchsorted(self.times, times.min()))
        both = np.concatenate([self._all()[:, at:], block], axis=1)
        both = both[:, np.argsort(both[0], kind="stable")]
        fresh = np.concatenate([[True], np.diff(both[0]) > 0])
        self._buffer.truncate(self._buffer.begin + at)
        self._buffer.append(both[:, fresh])
        duplicates = int((~fresh).sum())
        return Merged(max(reordered - duplicates, 0), duplicates)

    def between(self, start: float, end: float) -> tuple[Array, Array]:
        """Times and samples from ``start`` to before ``end``; valid until the next ``add``."""
        whole = self._all()
        low, high = np.searchsorted(whole[0], [start, end])
        return whole[0, low:high], whole[1:, low:high]

    def first_from(self, start: float) -> float | None:
        """The first time that is not before ``start``."""
        at = int(np.searchsorted(self.times, start))
        return float(self.times[at]) if at < len(self.times) else None

    def forget_before(self, start: float) -> None:
        self._buffer.forget_before(self._buffer.begin + int(np.searchsorted(self.times, start)))

    def clear(self) -> None:
        self._buffer.clear()

    def _all(self) -> Array:
        return self._buffer.view(self._buffer.begin, self._buffer.end)
