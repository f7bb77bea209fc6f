"""Log-mel frames of a signal, each computed once however many windows it lies in."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from bindrt import _core
from bindrt.arrays import Array
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.resample import Resampler
from bindrt.streams.feeds.heard import heard
from bindrt.streams.feeds.samples import SampleBuffer

_MEL = _core.constants()["mel"]
HOP: int = _MEL["hop"]  # samples at 16 kHz from a frame to the next, 10 ms
_ADD = -np.float32(_MEL["mean"])
_TIMES = np.float32(1) / np.float32(_MEL["std"])


class MelStore:
    """Frames by their number: frame ``f`` begins ``phase + 160·f`` samples of 16 kHz after an origin.

    Attributes:
        computed: frames that were computed, those of :meth:`of_cut` too.
    """

    def __init__(self, resampler: Resampler, phase: int = 0) -> None:
        self._resampler, self._phase = resampler, phase
        self._frames = SampleBuffer(c.MEL_BANDS, np.float32)
        self._heard = np.empty(0, np.float32)  # at 16 kHz: what the next frame shares with the last one
        self.computed = 0

    def start_at(self, frame: int) -> None:
        """Frames before this one will not be asked for again."""
        if frame > self._frames.end:
            self._frames.clear(frame)
            self._heard = np.empty(0, np.float32)
        self._frames.forget_before(frame)

    def extend(self, signal: SampleBuffer, origin: int, stop: int) -> None:
        """Compute the frames up to ``stop``, from the samples of the signal that there are.

        Args:
            origin: the sample of the signal from which frames are counted.
        """
        first = self._frames.end
        if stop <= first:
            return
        start = self._phase + first * HOP
        outputs = range(start + len(self._heard), start + (stop - first - 1) * HOP + c.MEL_WINDOW)
        new = heard(signal, origin, self._resampler, outputs)
        samples = np.concatenate([self._heard, new])
        self._frames.append(self._log_mel(samples))
        self._heard = samples[(stop - first) * HOP :].copy()

    def frames(self, start: int, stop: int) -> Array:
        """``[128, stop - start]``."""
        return self._frames.view(start, stop)

    def of_cut(self, cut: Array, first: int, count: int, steps: Iterable[tuple[int, float]] = ()) -> Array:
        """Frames of a signal that is silent around ``cut``, ``[channels, N]``; they are not kept.

        Args:
            first: the number of the first one, from the beginning of ``cut``.
            steps: samples from there on, and what is subtracted before each of them.
        """
        start = self._phase + first * HOP
        r, stop = self._resampler, start + (count - 1) * HOP + c.MEL_WINDOW
        samples = _core.resample(cut, r.orig, r.new, channel=0, start=start, stop=stop)
        for at, shift in steps:
            samples[:at] -= shift
        return self._log_mel(samples)

    def _log_mel(self, samples: npt.NDArray[np.float32]) -> Array:
        found = _core.log_mel(samples, add=float(_ADD), times=float(_TIMES))
        self.computed += found.shape[1]
        return found


def padding() -> np.float32:
    """What columns after a clip's last frame hold."""
    found: np.float32 = _ADD * _TIMES
    return found
