"""How old vectors are when they come, and how a sensor's clock runs against this machine's."""

from __future__ import annotations

from collections import deque

import numpy as np

_RECENT = 1024  # windows that percentiles are of
_PIECES = 256  # pieces among which the one that came fastest tells the clocks' distance


class Staleness:
    """Seconds from the arrival of a window's last piece to its vector."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._count, self._max = 0, 0.0

    def add(self, seconds: float) -> None:
        self._recent.append(seconds)
        self._count += 1
        self._max = max(self._max, seconds)

    def stats(self) -> dict[str, float]:
        """``count`` and ``max`` of all; ``last``, ``p50``, ``p99`` of the last 1024. Seconds."""
        if not self._recent:
            return {"count": 0}
        p50, p99 = np.percentile(self._recent, [50, 99])
        last = {"last": self._recent[-1], "p50": float(p50), "p99": float(p99)}
        return {"count": self._count, **last, "max": self._max}


class ClockDrift:
    """By how much a sensor's clock has run fast against ``time.monotonic()``.

    Pieces are delayed on their way by different times. The one that came fastest of many tells the distance
    of the two clocks; how it changes is the drift.
    """

    def __init__(self) -> None:
        self._least = float("inf")
        self._pieces = 0
        self._usual: float | None = None
        self.seconds = 0.0

    def add(self, sensor: float, arrived: float) -> None:
        self._least = min(self._least, arrived - sensor)
        self._pieces += 1
        if self._pieces == _PIECES:
            if self._usual is None:
                self._usual = self._least
            self.seconds = self._usual - self._least
            self._pieces, self._least = 0, float("inf")
