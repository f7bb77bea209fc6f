"""The mean of a signal's channels at 16 kHz, from as much of it as is kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bindrt import _core
from bindrt.modalities.steps.resample import Resampler
from bindrt.streams.feeds.samples import SampleBuffer

MEAN = -1  # of all channels, where a channel is asked for


def heard(signal: SampleBuffer, origin: int, resampler: Resampler, outputs: range) -> npt.NDArray[np.float32]:
    """Samples ``outputs`` at 16 kHz, counted from the signal's sample ``origin``, before which is silence."""
    inputs = resampler.needed(outputs)
    begin = max(inputs.start, signal.begin - origin, 0)
    end = min(inputs.stop, signal.end - origin)
    return _core.resample(
        signal.view(origin + begin, origin + end),
        resampler.orig,
        resampler.new,
        channel=MEAN,
        start=outputs.start,
        stop=outputs.stop,
        begin=begin,
    )
