"""The definitions of resampling and of log-mel spectra, in float64 NumPy and as plain as they come."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def resample(
    signal: Array, orig: int, new: int, wanted: range, begin: int = 0, rounded: bool = True
) -> npt.NDArray[np.float64]:
    """Outputs ``wanted`` of one channel; ``signal`` is samples from ``begin`` on, zero elsewhere.

    ``rounded`` rounds the taps' positions to float32 at each step, as the original does.
    """
    common = math.gcd(orig, new)
    orig, new = orig // common, new // common
    if orig == new:
        return np.array([signal[i - begin] if 0 <= i - begin < len(signal) else 0.0 for i in wanted])
    base = min(orig, new) * 0.99
    half = math.ceil(6 * orig / base)
    i = np.arange(wanted.start, wanted.stop, dtype=np.int64)[:, None]
    near, phase = i * orig // new, i % new
    k = np.arange(-half, half + 1, dtype=np.int64)
    index = phase * orig // new + k
    if rounded:
        behind = (-phase).astype(np.float32) / np.float32(new)
        t = (behind + index.astype(np.float32) / np.float32(orig)) * np.float32(base)
    else:
        t = (index / orig - phase / new) * base
    t = np.clip(t, -6, 6).astype(np.float64)
    taps = np.sinc(t) * np.cos(np.pi * t / 12) ** 2 * base / orig
    at = near + k - begin
    padded = np.append(np.asarray(signal, np.float64), 0.0)
    samples = padded[np.where((at >= 0) & (at < len(signal)), at, len(signal))]
    out: npt.NDArray[np.float64] = np.einsum("ij,ij->i", samples, taps)
    return out


def frame_count(samples: int) -> int:
    """Whole 25 ms frames, every 10 ms, in ``samples``."""
    return 0 if samples < 400 else 1 + (samples - 400) // 160


def log_mel(samples: Array) -> npt.NDArray[np.float64]:
    """Kaldi's log-mel energies ``[128, frames]`` of samples at 16 kHz."""
    count = frame_count(len(samples))
    frames = np.stack([samples[160 * i : 160 * i + 400] for i in range(count)]).astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)
    power = np.abs(np.fft.rfft((frames - 0.97 * before) * window, 512, axis=1)) ** 2
    energy = power[:, :256] @ _bands().T
    logs: npt.NDArray[np.float64] = np.log(np.maximum(energy, 2.0**-23)).T
    return logs


def _bands() -> Array:
    def mel(hertz: Any) -> Any:
        return 1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0)

    edges = np.linspace(mel(20.0), mel(8000.0), 130)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bins = mel(np.arange(256) * 31.25)[None]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    bands: Array = np.maximum(0.0, np.minimum(rising, falling))
    return bands


def model_input(first: Array, mean: Array, ranges: list[range]) -> npt.NDArray[np.float64]:
    """The encoder's input ``[clips, 1, 128, 204]``; each clip's mean over channels is subtracted in place."""
    first, mean = first.astype(np.float64), mean.astype(np.float64)
    out = np.zeros((len(ranges), 1, 128, 204))
    for i, r in enumerate(ranges):
        part = slice(r.start, r.stop)
        shift = mean[part].mean() if len(r) else 0.0
        first[part] -= shift
        mean[part] -= shift
        if frame_count(len(r)):
            logs = log_mel(first[part])[:, :204]
            out[i, 0, :, : logs.shape[1]] = logs
    return (out + 4.268) / 9.138


def assert_mel_close(actual: Array, expected: Array) -> None:
    """The tolerances of the reference data: bands with almost no energy carry float32 noise."""
    error = np.abs(actual.astype(np.float64) - expected)
    assert error.mean() <= 1e-4
    assert np.quantile(error, 0.99) <= 1e-3
    assert error.max() <= 5e-2
