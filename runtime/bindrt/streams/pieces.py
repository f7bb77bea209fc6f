"""What is pushed to a live stream: checked, copied, and how much it is."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from bindrt.arrays import Array
from bindrt.streams.arrivals import Piece
from bindrt.streams.feeds import AudioFeed, ImuFeed, PictureFeed, VideoFeed


class Pieces(Protocol):
    """The pieces of one stream.

    Attributes:
        window, hop: seconds of a window, and from one to the next.
        are_windows: whether each piece is a window by itself.
    """

    window: float
    hop: float
    are_windows: bool

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        """A piece that belongs to the stream.

        Raises:
            InputError: another kind, shape or dtype than the stream's.
        """
        ...


def owned(array: Array) -> Array:
    """A copy. Unlike NumPy's own it keeps the interpreter, so that no other thread can hold up the caller."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


class BlockPieces:
    """Blocks of audio."""

    are_windows = False

    def __init__(self, feed: AudioFeed, rate: float, window: float, hop: float) -> None:
        self._feed, self._rate, self.window, self.hop = feed, rate, window, hop

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        block = self._feed.checked(data, time)
        return Piece(owned(block), time, arrived, block.shape[1] / self._rate, block.nbytes)


class FramePieces:
    """Frames of a camera."""

    def __init__(self, feed: PictureFeed | VideoFeed, fps: float | None, window: float, hop: float) -> None:
        self._feed, self._fps, self.window, self.hop = feed, fps, window, hop
        self.are_windows = isinstance(feed, PictureFeed)
        self._first: float | None = None  # when the first frame came, for frames without times
        self._last: float | None = None

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        if time is None and self._fps is None:
            self._first = arrived if self._first is None else self._first
            time = arrived - self._first
        frame = self._feed.checked(data, time)
        seconds = 1 / self._fps if time is None and self._fps else self._since(time)
        return Piece(owned(frame), time, arrived, seconds, frame.nbytes)

    def _since(self, time: Any) -> float:
        last, self._last = self._last, float(time or 0.0)
        return 0.0 if last is None else max(self._last - last, 0.0)


class SamplePieces:
    """Inertial samples."""

    are_windows = False

    def __init__(self, feed: ImuFeed, rate: float | None, window: float, hop: float) -> None:
        self._feed, self._rate, self.window, self.hop = feed, rate, window, hop
        self._last: float | None = None

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        sensor, samples, times = self._feed.checked(data, time)
        held = owned(samples)
        given = {sensor: held} if sensor != "both" else held
        if times is None:
            seconds = samples.shape[1] / (self._rate or 1.0)
            return Piece(given, None, arrived, seconds, held.nbytes)
        return Piece(given, owned(times), arrived, self._since(times), held.nbytes + times.nbytes)

    def _since(self, times: Array) -> float:
        """Seconds by which the stream grows."""
        if not len(times):
            return 0.0
        last, newest = self._last, float(times[-1])
        self._last = newest if last is None else max(newest, last)
        return 0.0 if last is None else max(newest - last, 0.0)
