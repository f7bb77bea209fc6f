"""A sensor's clock, and everything that goes wrong with it, by chance but the same each time.

The sensor gives a piece each half second. Its clock drifts, and each time jitters. Some pieces come twice, or
after the next one, or once more with a time that is past; some are missing, or begin late. Now and then the
clock goes back, or begins anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

STEP = 0.5  # seconds of a piece
REORDER = 1.0  # seconds, for the streams
_DRIFT = 50e-6
_JITTER = 0.002  # seconds
_SHARE = 1 / 60  # of the pieces after which something may go wrong
_REST = 20  # pieces without trouble between two troubles
_CUT = 0.05  # seconds that are missing in a small gap
_MIDDLE = (0.3, 0.7)  # of a hop: where a run of the clock ends, so that it is plain which windows had begun
_RESTART = 1 / 12  # of the troubles

KINDS = ("duplicate", "reorder", "stray", "small gap", "gap", "jump back", "restart")


@dataclass(frozen=True)
class Piece:
    """A piece that the sensor gives.

    Attributes:
        number: which one; of the same number the same samples.
        time: of its first sample, by the sensor's clock.
        cut: seconds that are missing at its beginning.
    """

    number: int
    time: float
    cut: float = 0.0


@dataclass
class SensorClock:
    """The pieces of one sensor.

    Args:
        seed: of chance.
        window, hop: seconds, of the stream that is fed.

    Attributes:
        troubles: how often each kind of trouble was met.
        begun: windows that had begun in the runs of the clock that are over.
    """

    seed: int
    window: float
    hop: float
    troubles: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    begun: int = 0

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self._begin = self._now = 1000.0
        self._quiet, self._number = 0, 0
        self._waits = ""  # a new run that waits for the middle of a hop

    def pieces(self, count: int) -> Iterator[Piece]:
        """What the sensor gives in so many steps."""
        held: list[Piece] = []
        for _ in range(count):
            self._begin_anew()
            kind = self._trouble()
            if kind == "gap":
                self._now += STEP * int(self._random.integers(1, 60))
            piece = self._next(_CUT if kind == "small gap" else 0.0)
            if kind == "reorder":
                held = [piece]
                continue
            yield piece
            yield from held
            held = []
            if kind == "duplicate":
                yield piece
            elif kind == "stray":
                yield Piece(piece.number, piece.time - 10.0)
        yield from held

    def expected(self) -> int:
        """Windows that are complete or lost by now; those that have only begun are neither."""
        last = self._now - self._begin - self.window
        return self.begun + max(math.floor(last / self.hop) + 1, 0)

    @property
    def is_plain(self) -> bool:
        """Whether it is plain which windows are complete now: none ends about here."""
        return _MIDDLE[0] < (self._now - self._begin - self.window) / self.hop % 1 < _MIDDLE[1]

    def _next(self, cut: float) -> Piece:
        time = self._now + float(np.clip(self._random.normal(0, _JITTER), -3 * _JITTER, 3 * _JITTER))
        self._now += STEP * (1 + _DRIFT)
        self._number += 1
        return Piece(self._number, time + cut, cut)

    def _trouble(self) -> str:
        """What goes wrong with the next piece; mostly nothing."""
        self._quiet += 1
        if self._waits or self._quiet < _REST or self._random.random() > _SHARE:
            return ""
        self._quiet = 0
        if self._random.random() < _RESTART:
            self._waits = str(self._random.choice(KINDS[5:]))
            return ""
        kind = str(self._random.choice(KINDS[:5]))
        self.troubles[kind] += 1
        return kind

    def _begin_anew(self) -> None:
        if not self._waits or self._quiet < _REST:
            return
        ran = self._now - self._begin
        if ran < 60 or not _MIDDLE[0] < ran / self.hop % 1 < _MIDDLE[1]:
            return
        self.troubles[self._waits] += 1
        self.begun += math.ceil(ran / self.hop)
        back = float(self._random.uniform(20, 40))
        self._now = self._now - back if self._waits == "jump back" else float(self._random.uniform(0, 5))
        self._begin, self._waits, self._quiet = self._now, "", 0
