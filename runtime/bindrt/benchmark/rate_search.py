"""Finds the highest rate that holds: doubles it, halves the gap, and then confirms the rate found."""

from __future__ import annotations

import math

MOST_TRIALS = 60


class RateSearch:
    """Says which rate to try next, and is told whether it held, so that several searches can take turns.

    Attributes:
        held: the highest rate that held each time it was tried; None: none yet.
        failed: the lowest that did not hold; None: none yet.
        trials: how many were made.
    """

    def __init__(
        self, start: float, tolerance: float = 0.05, confirmations: int = 2, halvings: int = 2
    ) -> None:
        """
        Args:
            start: requests a second to begin with.
            tolerance: ``failed / held - 1`` at which the gap is small enough.
            confirmations: times that the rate found must hold again.
            halvings: how often ``start`` is halved before the search gives up.
        """
        self.held: float | None = None
        self.failed: float | None = None
        self.trials = 0
        self._start = start
        self._tolerance = tolerance
        self._wanted = confirmations
        self._least = start / 2**halvings
        self._confirmed = 0
        self._step = 2.0  # down, while nothing has held

    def next(self) -> float | None:
        """The next rate to try; None: done."""
        if self.trials >= MOST_TRIALS:
            return None
        if self.failed is None:
            return self._start if self.held is None else self.held * 2
        if self.held is None:
            return self.failed / self._step if self.failed > self._least else None
        if self.failed > self.held * (1 + self._tolerance):
            return math.sqrt(self.held * self.failed)
        return self.held if self._confirmed < self._wanted else None

    def record(self, rate: float, held: bool) -> None:
        """What came of a trial."""
        self.trials += 1
        if held:
            self._confirmed = self._confirmed + 1 if rate == self.held else 0
            self.held = rate
            return
        self.failed = rate
        if rate == self.held:  # the first time was luck: go down, in small steps first
            self.held, self._step = None, 1 + self._tolerance
        elif self.held is None:
            self._step = min(self._step**2, 2.0)

    @property
    def found(self) -> bool:
        """Whether a rate held often enough."""
        return self.held is not None and self._confirmed >= self._wanted
