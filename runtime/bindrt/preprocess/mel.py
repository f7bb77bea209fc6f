"""Log-mel spectra as Kaldi's filter banks define them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bindrt.arrays import Array
from bindrt.preprocess import constants as c


def frame_count(samples: int) -> int:
    """Whole 25 ms frames, every 10 ms, in ``samples``."""
    return 0 if samples < c.MEL_WINDOW else 1 + (samples - c.MEL_WINDOW) // c.MEL_HOP


def log_mel(samples: Array) -> Array:
    """Natural logarithm of the mel energies, float32 ``[128, frames]``, of float samples at 16 kHz.

    Per frame: mean removed, pre-emphasis 0.97 (the first sample is its own predecessor), symmetric
    Hann window, 512-point power spectrum, triangular bands; floored at float32 epsilon.
    """
    frames = sliding_window_view(samples.astype(np.float64), c.MEL_WINDOW)[:: c.MEL_HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    frames = (frames - c.MEL_PREEMPHASIS * before) * _window()
    power = np.abs(np.fft.rfft(frames, c.MEL_FFT, axis=1)) ** 2
    energy = power[:, : c.MEL_FFT // 2] @ _bands().T
    mel: Array = np.log(np.maximum(energy, c.MEL_FLOOR)).T.astype(np.float32)
    return mel


def model_input(samples: Array) -> Array:
    """The audio encoder's input, float32 ``[1, 128, 204]``: padded with zeros or cut, then normalised."""
    mel = log_mel(samples)[:, : c.MEL_FRAMES]
    padded = np.zeros((c.MEL_BANDS, c.MEL_FRAMES), np.float32)
    padded[:, : mel.shape[1]] = mel
    padded -= np.float32(c.MEL_MEAN)
    padded /= np.float32(c.MEL_STD)
    return padded[None]


@lru_cache(maxsize=1)
def _window() -> Array:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(c.MEL_WINDOW) / (c.MEL_WINDOW - 1))


def _mel(hertz: Array | float) -> Array:
    return np.asarray(1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0))


@lru_cache(maxsize=1)
def _bands() -> Array:
    """Triangles ``[128, 256]`` over the bins below the Nyquist frequency; some low ones are empty."""
    edges = np.linspace(_mel(c.MEL_LOW), _mel(c.MEL_HIGH), c.MEL_BANDS + 2)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bins = _mel(np.arange(c.MEL_FFT // 2) * (c.AUDIO_RATE / c.MEL_FFT))[None]
    return np.maximum(0.0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)))
