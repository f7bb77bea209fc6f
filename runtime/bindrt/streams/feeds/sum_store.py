"""Sums of a signal, each computed once however many windows it lies in: clips lose their means."""

from __future__ import annotations

import numpy as np

from bindrt.modalities.steps.resample import Resampler
from bindrt.streams.feeds.heard import heard
from bindrt.streams.feeds.mel_store import HOP
from bindrt.streams.feeds.samples import SampleBuffer


class SumStore:
    """Sums of 10 ms of all channels' mean, by number: sum ``n`` begins where frame ``n`` of a store would."""

    def __init__(self, resampler: Resampler, phase: int) -> None:
        self._resampler, self._phase = resampler, phase
        self._sums = SampleBuffer(1, np.float64)

    def start_at(self, number: int) -> None:
        """Sums before this one will not be asked for again."""
        if number > self._sums.end:
            self._sums.clear(number)
        self._sums.forget_before(number)

    def total(self, signal: SampleBuffer, origin: int, numbers: range) -> float:
        """The sum of some of them, from the samples of the signal that there are.

        Args:
            origin: the sample of the signal from which sums are counted.
        """
        first = self._sums.end
        if numbers.stop > first:
            outputs = range(self._phase + first * HOP, self._phase + numbers.stop * HOP)
            samples = heard(signal, origin, self._resampler, outputs)
            self._sums.append(samples.reshape(-1, HOP).sum(axis=1, dtype=np.float64)[None])
        return float(self._sums.view(numbers.start, numbers.stop).sum())
