"""Windows from a feed, and the same windows cut from the whole recording."""

from __future__ import annotations

import numpy as np

import bindrt
from bindrt.streams.feeds import AudioFeed, ReadyWindow

TOLERANCE = 1e-5


def cut(wave: np.ndarray, rate: float, window: ReadyWindow, origin: float = 0.0) -> np.ndarray:
    """The window as ``bindrt.preprocess`` makes it of the whole recording."""
    item = bindrt.Audio(wave, rate=rate, start=window.start - origin, end=window.end - origin)
    return bindrt.preprocess.audio(item)


def blocks(wave: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    """The recording in blocks of these lengths, over and over."""
    found, at = [], 0
    while at < wave.shape[1]:
        length = lengths[len(found) % len(lengths)]
        found.append(wave[:, at : at + length])
        at += length
    return found


def fed(feed: AudioFeed, pieces: list[np.ndarray]) -> list[ReadyWindow]:
    return [window for piece in pieces for window in feed.push(piece)] + feed.end()


def require_equal(windows: list[ReadyWindow], wave: np.ndarray, rate: float) -> None:
    for window in windows:
        expected = cut(wave, rate, window)
        assert np.abs(window.item.array - expected).max() < TOLERANCE
