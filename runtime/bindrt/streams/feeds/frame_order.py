"""Frames in the order of their times."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterator

from bindrt.arrays import Array

_OF_PERIOD = 1.5  # a frame that is later than that after the last one may not be the next one
_KNOWN = 3  # distances of frames after which their period is known
_RECENT = 16  # distances that it is the median of
_ROUNDING = 1e-6  # seconds


class FrameOrder:
    """Keeps a frame that comes too early until those before it are there, at most ``reorder`` seconds.

    A frame that follows the last one in about the usual time waits for nothing.

    Args:
        reorder: seconds within which frames may come out of order.
        fps: frames per second; None: found from the times.
    """

    def __init__(self, reorder: float, fps: float | None) -> None:
        self._reorder, self._fps = float(reorder), fps
        self._early: list[tuple[float, int, Array]] = []  # a heap
        self._number = itertools.count()
        self.restart()

    def restart(self) -> None:
        """The clock began anew. Nothing waits any more."""
        self._early.clear()
        self._last: float | None = None  # the time of the last frame that was given out
        self._newest = float("-inf")
        self._distances: deque[float] = deque(maxlen=_RECENT)

    def is_out_of_order(self, time: float) -> bool:
        """Whether a frame comes after a later one, and can still be put right."""
        return time < self._newest and (self._last is None or time > self._last)

    def take(self, time: float, frame: Array) -> Iterator[tuple[float, Array]]:
        """The frames to go on with, now that this one came. One that is too late comes at once."""
        heapq.heappush(self._early, (time, next(self._number), frame))
        self._newest = max(self._newest, time)
        while self._early and self._is_next(self._early[0][0]):
            yield self._pop()

    def end(self) -> Iterator[tuple[float, Array]]:
        """What still waits."""
        while self._early:
            yield self._pop()

    def _is_next(self, time: float) -> bool:
        if self._newest - time >= self._reorder - _ROUNDING:
            return True
        period = self._period()
        return self._last is not None and period > 0 and time - self._last <= _OF_PERIOD * period

    def _period(self) -> float:
        """Seconds from a frame to the next, as usual; 0: not known yet."""
        if len(self._distances) >= _KNOWN:
            return sorted(self._distances)[len(self._distances) // 2]
        return 1 / self._fps if self._fps else 0.0

    def _pop(self) -> tuple[float, Array]:
        time, _, frame = heapq.heappop(self._early)
        if self._last is None:
            self._last = time
        elif time > self._last:
            self._distances.append(time - self._last)
            self._last = time
        return time, frame
