"""Log-mel frames of a signal, each computed once however many windows it lies in."""

from __future__ import annotations

import numpy as np

from bindrt import _core
from bindrt.modalities.steps.resample import Resampler

_MEL = _core.constants()["mel"]
HOP: int = _MEL["hop"]  # samples at 16 kHz from a frame to the next, 10 ms
_ADD = float(-np.float32(_MEL["mean"]))
_TIMES = float(np.float32(1) / np.float32(_MEL["std"]))


def mel_store(resampler: Resampler, phase: int) -> _core.MelStore:
    """A store of frames that begin ``phase`` samples of 16 kHz after whole 10 ms."""
    return _core.MelStore(resampler.orig, resampler.new, phase, _ADD, _TIMES)
