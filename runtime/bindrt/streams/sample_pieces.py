"""Pieces of inertial samples, which may come one by one: they wait until a window needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.streams.arrivals import Piece
from bindrt.streams.feeds import ImuFeed, ReadyWindow
from bindrt.streams.feeds.imu_pieces import ImuPiece
from bindrt.streams.pieces import Keep

_TOGETHER = 64  # pieces that are put together at most


class SamplePieces:
    """Inertial samples.

    To prepare samples one by one takes many times as long as together. So they wait until some have come, or
    one with which a window may be complete.

    Args:
        keep: see :data:`bindrt.streams.pieces.Keep`.
    """

    are_windows = False

    def __init__(
        self, feed: ImuFeed, rate: float | None, window: float, hop: float, keep: Keep = "recent"
    ) -> None:
        self._feed, self._rate, self.window, self.hop = feed, rate, window, hop
        self.inbox = _core.Inbox("samples", _made, 0.0, keep)
        self._counted: dict[str, int] = {}  # samples without times that were pushed

    def piece(self, data: Any, time: Any, arrived: float) -> Piece:
        sensor, samples, times = self._feed.checked(data, time)
        count, held = samples.shape[1], _core.owned(samples)
        if times is None:
            rate = self._rate or 1.0
            newest = (self._counted.get(sensor, 0) + count - 1) / rate
            return Piece([ImuPiece(sensor, held, None)], None, arrived, count / rate, held.nbytes, newest)
        if sensor == "both":
            self.inbox.expect(held)
        piece, size = ImuPiece(sensor, held, _core.owned(times)), held.nbytes + times.nbytes
        if not count:
            return Piece([piece], None, arrived, 0.0, size)
        newest = float(times[-1])
        return Piece([piece], None, arrived, self.inbox.grow(newest), size, newest)

    def is_due(self, piece: Piece) -> bool:
        sensor, samples, times = piece.data[0]
        if times is None:
            self._counted[sensor] = self._counted.get(sensor, 0) + samples.shape[1]
        return len(self.inbox) >= _TOGETHER or self._may_complete(piece)

    def take(self) -> Piece | None:
        """Pieces as one, as far as time goes on, up to the first one with which a window may be complete."""
        first = self.inbox.take()
        if first is None:
            return None
        newest: dict[str, float] = {}  # that was taken, of each sensor
        parts, goes_on = [first], self._goes_on(first, newest)
        while goes_on and len(parts) < _TOGETHER and not self._may_complete(parts[-1]):
            following = self.inbox.take()
            if following is None:
                break
            if _is_timed(following) != _is_timed(first) or not self._goes_on(following, newest):
                self.inbox.put_back(following, following.bytes, following.seconds)
                break
            parts.append(following)
        return _joined(parts)

    def fed(self, piece: Piece) -> list[ReadyWindow]:
        ready = self._feed.take(piece.data)
        self.inbox.set_due(self._feed.due)
        return ready

    def _may_complete(self, piece: Piece) -> bool:
        return piece.newest is not None and piece.newest >= self._feed.due

    def _goes_on(self, piece: Piece, newest: dict[str, float]) -> bool:
        """Whether its times are in order, and after all others: a clock that went back is not hidden."""
        sensor, _, times = piece.data[0]
        if times is None:
            return True
        if piece.newest is None or not times[0] > newest.get(sensor, self._feed.newest(sensor)):
            return False
        newest[sensor] = piece.newest
        return len(times) == 1 or bool((times[1:] > times[:-1]).all())


def _is_timed(piece: Piece) -> bool:
    return piece.data[0].times is not None


def _made(
    data: tuple[Array, Array], time: None, arrived: float, seconds: float, size: int, newest: float
) -> Piece:
    """A piece of what the inbox has copied."""
    return Piece([ImuPiece("both", *data)], time, arrived, seconds, size, newest)


def _joined(parts: Sequence[Piece]) -> Piece:
    """Pieces whose samples follow each other, as one of each sensor."""
    last = parts[-1]
    if len(parts) == 1:
        return last
    pieces = [part.data[0] for part in parts]
    together = []
    for sensor in dict.fromkeys(piece.sensor for piece in pieces):
        own = [piece for piece in pieces if piece.sensor == sensor]
        timed = [piece.times for piece in own if piece.times is not None]
        times = np.concatenate(timed) if timed else None
        together.append(ImuPiece(sensor, np.concatenate([piece.samples for piece in own], axis=1), times))
    seconds, size = sum(part.seconds for part in parts), sum(part.bytes for part in parts)
    return Piece(together, None, last.arrived, seconds, size, last.newest, tuple(parts))
