"""What is pushed to a live stream: checked, copied, and how much it is."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from bindrt import _core
from bindrt.streams.arrivals import Piece
from bindrt.streams.feeds import AudioFeed, Feed, PictureFeed, ReadyWindow, VideoFeed
from bindrt.streams.inbox import Inbox


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

    def is_due(self, piece: Piece, waiting: int) -> bool:
        """Whether the stream should look at what waits: ``waiting`` pieces, of which this is the last."""
        ...

    def take(self, inbox: Inbox) -> Piece | None:
        """What waits longest; perhaps several pieces as one."""
        ...

    def fed(self, piece: Piece) -> list[ReadyWindow]:
        """The windows that are complete with it.

        Raises:
            Error: the feed cannot use it.
        """
        ...


class _OneByOne:
    """Pieces that are looked at as they come."""

    def __init__(self, feed: Feed, window: float, hop: float) -> None:
        self._any_feed, self.window, self.hop = feed, window, hop

    def is_due(self, piece: Piece, waiting: int) -> bool:
        return True

    def take(self, inbox: Inbox) -> Piece | None:
        return inbox.take()

    def fed(self, piece: Piece) -> list[ReadyWindow]:
        return self._any_feed.push(piece.data, piece.time)


class BlockPieces(_OneByOne):
    """Blocks of audio."""

    are_windows = False

    def __init__(self, feed: AudioFeed, rate: float, window: float, hop: float) -> None:
        super().__init__(feed, window, hop)
        self._feed, self._rate = feed, rate

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        block = self._feed.checked(data, time)
        return Piece(_core.owned(block), time, arrived, block.shape[1] / self._rate, block.nbytes, time)


class FramePieces(_OneByOne):
    """Frames of a camera."""

    def __init__(self, feed: PictureFeed | VideoFeed, fps: float | None, window: float, hop: float) -> None:
        super().__init__(feed, window, hop)
        self._feed, self._fps = feed, fps
        self.are_windows = isinstance(feed, PictureFeed)
        self._first: float | None = None  # when the first frame came, for frames without times
        self._last: float | None = None
        self._shape: tuple[int, ...] | None = None  # of the last frame, if it was taken as it was
        self._dtype: Any = None

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        # A frame as the one before needs no further look.
        if (
            type(data) is np.ndarray
            and data.shape == self._shape
            and data.dtype is self._dtype
            and type(time) is float
            and math.isfinite(time)
        ):
            return Piece(_core.owned(data), time, arrived, self._since(time), data.nbytes, time)
        if time is None and self._fps is None:
            self._first = arrived if self._first is None else self._first
            time = arrived - self._first
        frame = self._feed.checked(data, time)
        if type(data) is np.ndarray:
            self._shape, self._dtype = data.shape if data.shape == frame.shape else None, data.dtype
        seconds = 1 / self._fps if time is None and self._fps else self._since(time)
        return Piece(_core.owned(frame), time, arrived, seconds, frame.nbytes, time)

    def _since(self, time: Any) -> float:
        last, self._last = self._last, float(time or 0.0)
        return 0.0 if last is None else max(self._last - last, 0.0)
