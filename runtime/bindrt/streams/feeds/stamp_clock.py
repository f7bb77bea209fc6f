"""The clock of a signal whose samples or frames carry their times: inertial samples, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar, Union

from bindrt.streams.feeds.counts import Counts

_GOES_ON = 2.0  # seconds after a stray piece within which the next one confirms that the clock went back

Piece = TypeVar("Piece")


@dataclass(frozen=True)
class Stamped(Generic[Piece]):
    """A piece of a signal, from the time ``first`` to the time ``last``."""

    first: float
    last: float
    piece: Piece


@dataclass(frozen=True)
class Anew:
    """The clock began anew, or went back: what comes now is on another run of it."""

    key: str


class StampClock(Generic[Piece]):
    """Tells pieces that come too late from a clock that went back.

    A piece that is more than ``reorder`` seconds behind the newest one is a new beginning only if the next
    one goes on after it.
    """

    def __init__(self, reorder: float, counts: Counts) -> None:
        self._reorder, self._counts = reorder, counts
        self.newest: float | None = None
        self._earliest = 0.0  # the first time since the clock began
        self._astray: Stamped[Piece] | None = None

    def take(self, given: Stamped[Piece]) -> Iterator[Union[Stamped[Piece], Anew]]:
        """The pieces to go on with, in the order in which they came."""
        if self.newest is None:
            self._begin(given)
        elif given.last < self.newest - self._reorder:
            if self._astray is None or not _goes_on(self._astray, given):
                self.end()
                self._astray = given
                return
            astray, self._astray = self._astray, None
            yield Anew("restarts" if astray.first < self._earliest else "jumps_back")
            self._begin(astray)
            yield astray
        else:
            self.end()
        self.newest = max(self.newest or given.last, given.last)
        yield given

    def end(self) -> None:
        """Nothing confirms that a stray piece was a new beginning."""
        if self._astray is not None:
            self._astray = None
            self._counts.add("late")

    def _begin(self, given: Stamped[Piece]) -> None:
        self.newest, self._earliest = given.last, given.first


def _goes_on(before: Stamped[Piece], given: Stamped[Piece]) -> bool:
    """Whether a piece follows the one before; with uneven times their ends may overlap."""
    return given.first > before.first and given.last > before.last and given.first - before.last <= _GOES_ON
