"""What is pushed to a live stream: checked, copied, and how much it is."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np

from bindrt import _core
from bindrt.streams.arrivals import Piece
from bindrt.streams.feeds import AudioFeed, Feed, PictureFeed, ReadyWindow, VideoFeed

#: Which pieces may wait: one, the newest; as many as there is room for; or all, and a further one is refused.
Keep = Literal["newest", "recent", "all"]


class Pieces(Protocol):
    """The pieces of one stream.

    Attributes:
        inbox: those that wait. It takes usual ones by itself.
        window, hop: seconds of a window, and from one to the next.
        are_windows: whether each piece is a window by itself.
    """

    inbox: _core.Inbox
    window: float
    hop: float
    are_windows: bool

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        """A piece that belongs to the stream.

        Raises:
            InputError: another kind, shape or dtype than the stream's.
        """
        ...

    def is_due(self, piece: Piece) -> bool:
        """Whether the stream should look at what waits, of which this is the last."""
        ...

    def take(self) -> Piece | None:
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

    def __init__(self, feed: Feed, inbox: _core.Inbox, window: float, hop: float) -> None:
        self._any_feed, self.inbox, self.window, self.hop = feed, inbox, window, hop

    def is_due(self, piece: Piece) -> bool:
        return True

    def take(self) -> Piece | None:
        piece: Piece | None = self.inbox.take()
        return piece

    def fed(self, piece: Piece) -> list[ReadyWindow]:
        return self._any_feed.push(piece.data, piece.time)


class BlockPieces(_OneByOne):
    """Blocks of audio.

    Args:
        keep: see :data:`Keep`.
    """

    are_windows = False

    def __init__(
        self, feed: AudioFeed, rate: float, window: float, hop: float, keep: Keep = "recent"
    ) -> None:
        super().__init__(feed, _core.Inbox("blocks", Piece, float(rate), keep), window, hop)
        self._feed, self._rate = feed, rate

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        block = self._feed.checked(data, time)
        self.inbox.expect(block)
        return Piece(_core.owned(block), time, arrived, block.shape[1] / self._rate, block.nbytes, time)


class FramePieces(_OneByOne):
    """Frames of a camera.

    Args:
        keep: see :data:`Keep`.
    """

    def __init__(
        self,
        feed: PictureFeed | VideoFeed,
        fps: float | None,
        window: float,
        hop: float,
        keep: Keep = "recent",
    ) -> None:
        super().__init__(feed, _core.Inbox("frames", Piece, float(fps or 0.0), keep), window, hop)
        self._feed, self._fps = feed, fps
        self.are_windows = isinstance(feed, PictureFeed)
        self._first: float | None = None  # when the first frame came, for frames without times

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        if time is None and self._fps is None:
            self._first = arrived if self._first is None else self._first
            time = arrived - self._first
        frame = self._feed.checked(data, time)
        if type(data) is np.ndarray and data.shape == frame.shape:
            self.inbox.expect(frame)
        seconds = 1 / self._fps if time is None and self._fps else self.inbox.grow(float(time))
        return Piece(_core.owned(frame), time, arrived, seconds, frame.nbytes, time)
