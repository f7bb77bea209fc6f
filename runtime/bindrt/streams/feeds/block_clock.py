"""The clock of a signal that comes in blocks of evenly spaced samples: audio."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from bindrt.arrays import Array
from bindrt.streams.feeds.counts import Incidents

_EVEN = 0.001  # seconds by which a block's time may be off without being counted
_NOTED = 0.005  # seconds from which it is noted on a window
_SLACK = 0.05  # seconds by which it may be off at most, without a gap
_HALF_SAMPLE = 0.5  # by which a time may be off without moving the others: it is rounding
_OF_BLOCK = 0.75  # of a block's length; a missing or repeated block is off by a whole one
_FOLLOWED = 10.0  # seconds in which the times of samples follow the clock's drift
_REMEMBERED = 256  # times of blocks by which a repeated one is told


@dataclass(frozen=True)
class Samples:
    """The next samples, ``[rows, n]``."""

    block: Array


@dataclass(frozen=True)
class Missing:
    """So many samples are missing here; the signal goes on after them."""

    count: int


@dataclass(frozen=True)
class Begin:
    """A new run of samples begins.

    Attributes:
        gap: seconds since the end of the one before; None: the clock began anew, or went back.
    """

    gap: float | None


Step = Union[Samples, Missing, Begin]


class BlockClock:
    """Puts blocks in the order of their times, and says where samples are missing.

    A block that is early by more than a part of its length waits for what is before it, until ``reorder``
    seconds wait. A block that is late by more than that is taken as a new beginning only if the next one goes
    on where it ends: a single stray block ends nothing.

    Args:
        rate: samples per second.
        reorder: seconds within which blocks may come out of order.
        max_gap: the longest gap in seconds that does not end a run of samples.
        incidents: where trouble is counted and noted, by the sample in the run.
    """

    def __init__(self, rate: float, reorder: float, max_gap: float, incidents: Incidents) -> None:
        self._rate, self._reorder, self._max_gap = rate, reorder, max_gap
        self._incidents = incidents
        self.count = 0  # samples of the run so far
        self._origin: float | None = None  # the time of its first sample
        self._timed = False  # whether a block had a time
        self._earliest = 0.0  # the first time since the clock began
        self._early: list[tuple[float, int, Array]] = []  # a heap of blocks that wait for what is before them
        self._order = itertools.count()
        self._astray: tuple[float, Array] | None = None
        self._recent: deque[float] = deque(maxlen=_REMEMBERED)

    def time_of(self, sample: int) -> float:
        """The time of a sample of the run, in seconds."""
        return (self._origin or 0.0) + sample / self._rate

    def take(self, block: Array, time: float | None) -> Iterator[Step]:
        """What a block ``[rows, n]`` leads to. All steps must be taken before the next block comes."""
        if self._origin is None:
            self._begin(time or 0.0)
        elif not self._timed and time is not None:  # the first time: until now samples were counted from 0
            self._earliest = self._origin = time - self.count / self._rate
        self._timed = self._timed or time is not None
        if time is None:
            yield self._next(block)
            return
        again = time in self._recent
        self._recent.append(time)
        yield from self._placed(block, time, again)

    def end(self) -> Iterator[Step]:
        """What the blocks that still wait lead to."""
        self._drop_astray()
        yield from self._release(0.0)

    def _placed(self, block: Array, time: float, again: bool) -> Iterator[Step]:
        off, slack = time - self.time_of(self.count), self._slack(block)
        if off < -slack:
            yield from self._behind(block, time, off, again)
        elif off > slack:
            heapq.heappush(self._early, (time, next(self._order), block))
            yield from self._release(self._reorder)
        else:
            self._drop_astray()
            if self._early:
                self._incidents.add(self.count, "reordered")
            yield self._even(block, off)
            yield from self._release(self._reorder)

    def _even(self, block: Array, off: float) -> Samples:
        """A block that comes about when it should; the times of samples follow its own slowly."""
        if abs(off) > _EVEN:
            self._incidents.count("jitter")
            if abs(off) > _NOTED:
                self._incidents.note(self.count, "jitter", off)
        if abs(off) * self._rate > _HALF_SAMPLE:
            self._shift(off * min(block.shape[1] / self._rate / _FOLLOWED, 1.0))
        return self._next(block)

    def _release(self, patience: float) -> Iterator[Step]:
        """Blocks that waited and are next; with more than ``patience`` seconds of them, over the gap."""
        while self._early:
            time, _, block = self._early[0]
            off, slack = time - self.time_of(self.count), self._slack(block)
            if off > slack:
                if sum(b.shape[1] for _, _, b in self._early) / self._rate <= patience:
                    return
                yield self._over_gap(off)
                continue
            heapq.heappop(self._early)
            if off < -slack:
                yield from self._overlapping(block, off, True)
            else:
                yield self._next(block)

    def _over_gap(self, gap: float) -> Step:
        self._incidents.add(self.count, "gaps")
        self._incidents.add(self.count, "gap_seconds", gap)
        if gap <= self._max_gap:
            missing = round(gap * self._rate)
            self._shift(gap - missing / self._rate)
            self.count += missing
            return Missing(missing)
        self._run(self.time_of(self.count) + gap)
        self._incidents.note(0, "gap_seconds", gap)
        return Begin(gap)

    def _behind(self, block: Array, time: float, off: float, again: bool) -> Iterator[Step]:
        """A block whose time has passed: it comes again or late, or the clock went back."""
        if off + block.shape[1] / self._rate >= -self._reorder:
            yield from self._overlapping(block, off, again)
            return
        if self._astray is None or abs(time - self._astray_end()) > self._slack(block):
            self._drop_astray()
            self._astray = (time, block)
            return
        started, first = self._astray
        self._astray = None
        yield from self._release(0.0)
        key = "restarts" if started < self._earliest else "jumps_back"
        self._begin(started)
        self._incidents.add(0, key)
        yield Begin(None)
        yield self._next(first)
        yield from self._placed(block, time, False)

    def _overlapping(self, block: Array, off: float, again: bool) -> Iterator[Step]:
        """The rest of a block that lies in what is there already."""
        known = min(round(-off * self._rate), block.shape[1])
        is_late = known == block.shape[1] and not again
        self._incidents.add(self.count, "late" if is_late else "duplicates")
        if known < block.shape[1] and not again:
            yield self._next(block[:, known:])

    def _slack(self, block: Array) -> float:
        return min(_OF_BLOCK * float(block.shape[1]) / self._rate, _SLACK)

    def _astray_end(self) -> float:
        assert self._astray is not None
        time, block = self._astray
        return time + float(block.shape[1]) / self._rate

    def _drop_astray(self) -> None:
        if self._astray is not None:
            self._astray = None
            self._incidents.add(self.count, "late")

    def _next(self, block: Array) -> Samples:
        self.count += block.shape[1]
        return Samples(block)

    def _begin(self, time: float) -> None:
        """The clock begins, or begins anew."""
        self._earliest = time
        self._recent.clear()
        self._run(time)

    def _run(self, time: float) -> None:
        self._origin = time
        self.count = 0
        self._incidents.clear()

    def _shift(self, seconds: float) -> None:
        self._origin = (self._origin or 0.0) + seconds
