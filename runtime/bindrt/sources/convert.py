"""Brings the parts of a recording to one rate and one number of channels, as FFmpeg does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.sources.opening import library

#: Pieces of a recording: the position of the first sample, samples ``[n, channels]``, how much was lost.
Pieces = Iterator[tuple[int, Array, int]]


def with_channels(samples: Array, channels: int) -> Array:
    """Samples ``[n, c]`` as ``[n, channels]``: one channel is repeated, to one they are averaged.

    >>> with_channels(np.float32([[1, 3]]), 1).tolist()
    [[2.0]]
    """
    there = samples.shape[1]
    if there == channels:
        return samples
    if there == 1:
        return np.repeat(samples, channels, axis=1)
    if channels == 1:
        mean: Array = samples.mean(axis=1, keepdims=True, dtype=np.float32)
        return mean
    missing = np.zeros((len(samples), max(channels - there, 0)), samples.dtype)
    return np.concatenate([samples[:, :channels], missing], axis=1)


def at_rate(pieces: Pieces, rate: int, wanted: int) -> Pieces:
    """Float pieces, in order and without gaps between them, at another rate."""
    av = library("av")
    resampler: Any = None
    at = 0
    for _, samples, failed in pieces:
        layout = {1: "mono", 2: "stereo"}.get(samples.shape[1], f"{samples.shape[1]} channels")
        resampler = resampler or av.AudioResampler(format="fltp", layout=layout, rate=wanted)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
        frame.sample_rate = rate
        for out in resampler.resample(frame):
            yield at, out.to_ndarray().T, failed
            at, failed = at + out.samples, 0
    for out in resampler.resample(None) if resampler else ():
        yield at, out.to_ndarray().T, 0
        at += out.samples
