"""Pieces that wait to be prepared."""

from __future__ import annotations

from collections import deque

from bindrt.streams.arrivals import Piece

MOST_BYTES = 256 << 20  # that may wait


class Inbox:
    """Those who push and the thread that prepares never wait for each other.

    One at a time may put and drop, and another one take.
    """

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque()
        self._put, self._dropped, self._taken = _Sum(), _Sum(), _Sum()  # each has one writer

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def seconds(self) -> float:
        """By how much the signal grows with what waits."""
        return self._put.seconds - self._dropped.seconds - self._taken.seconds

    def has_room(self, piece: Piece) -> bool:
        """Whether a piece may wait too; one alone always may."""
        held = self._put.bytes - self._dropped.bytes - self._taken.bytes
        return not self._pieces or held + piece.bytes <= MOST_BYTES

    def put(self, piece: Piece) -> None:
        self._put.add(piece)
        self._pieces.append(piece)

    def drop(self) -> bool:
        """Drop what waits longest; whether there was something."""
        return self._pop(self._dropped) is not None

    def take(self) -> Piece | None:
        """What waits longest."""
        return self._pop(self._taken)

    def put_back(self, piece: Piece) -> None:
        """What was just taken."""
        self._taken.add(piece, -1)
        self._pieces.appendleft(piece)

    def _pop(self, total: _Sum) -> Piece | None:
        if not self._pieces:  # mostly; an exception takes some microseconds
            return None
        try:
            piece = self._pieces.popleft()
        except IndexError:
            return None
        total.add(piece)
        return piece


class _Sum:
    def __init__(self) -> None:
        self.bytes, self.seconds = 0, 0.0

    def add(self, piece: Piece, times: int = 1) -> None:
        self.bytes += times * piece.bytes
        self.seconds += times * piece.seconds
