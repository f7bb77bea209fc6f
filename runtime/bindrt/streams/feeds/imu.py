"""Inertial samples: pieces with their times to windows; the two sensors may come apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import InputError, OptionError
from bindrt.items import Prepared
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities.imu import Imu, prepare
from bindrt.numeric import is_positive
from bindrt.streams.feeds.counts import Counts, Incidents
from bindrt.streams.feeds.feed import ReadyWindow
from bindrt.streams.feeds.imu_pieces import ROWS, ImuPiece, imu_piece
from bindrt.streams.feeds.item_options import require_options
from bindrt.streams.feeds.skew import Skew
from bindrt.streams.feeds.stamp_clock import Anew, StampClock, Stamped
from bindrt.streams.feeds.time_grid import TimeGrid
from bindrt.streams.feeds.timed_samples import TimedSamples

_PATIENCE = 1.0  # seconds that a window waits for a sensor that is behind the other
_OF_PERIOD = 1.01  # a window is complete if the next sample, after a period, is not in it
_ROUNDING = 1e-6  # seconds
_LONGEST = 4.95  # seconds that a window must hold, unless it is shorter itself


class ImuFeed:
    """Samples of an inertial sensor, or of an accelerometer and a gyroscope with times of their own.

    Args:
        window, hop: seconds of a window, and from the start of one to the next.
        rate: samples per second, for samples that come without times.
        reorder: seconds within which samples may come out of order; a window waits so much longer.
        max_gap: the longest gap in seconds that is interpolated. A longer one loses its windows.
        options: those of :class:`bindrt.Imu`: ``accel_unit``, ``gyro_unit``, ``standardize``.

    Raises:
        OptionError: an argument is out of range.

    >>> feed = ImuFeed(window=5.0, hop=1.0, reorder=0.0)
    >>> [w.start for w in feed.push(np.ones((6, 2601)), np.arange(2601) / 400)]
    [0.0, 1.0]
    """

    def __init__(
        self,
        window: float = 5.0,
        hop: float = 1.0,
        rate: float | None = None,
        reorder: float = 0.02,
        max_gap: float = 0.1,
        **options: Any,
    ) -> None:
        if rate is not None and not is_positive(rate):
            raise OptionError(
                f"rate={rate!r}", "not a rate", "give the number of samples per second, or None"
            )
        require_options("imu", options)
        self._rate, self._reorder = rate, float(reorder)
        self._grid = TimeGrid(window, hop)
        self._options: dict[str, Any] = {
            "max_gap": max_gap,
            "min_seconds": min(0.99 * window, _LONGEST),
            **options,
        }
        self.counts = Counts()
        self._incidents = Incidents(self.counts)
        self._sensors: dict[str, TimedSamples] = {}
        self._clocks: dict[str, StampClock[Array]] = {}
        self._counted: dict[str, int] = {}  # samples without times
        self._anew: dict[str, int] = {}  # how often each sensor's clock began anew
        self._anew_key = ""
        self._skew = Skew()
        self._period = 0.0
        #: The time of a sample with which the next window may be complete; earlier samples may wait.
        self.due = float("-inf")
        #: Why the last window that was lost could not be made.
        self.last_error = ""

    def push(self, data: Any, time: Any = None) -> list[ReadyWindow]:
        """The windows that are complete with these samples.

        Args:
            data: ``[6, n]``, accelerometer then gyroscope; ``{"acc": [3, n]}``; or ``{"gyro": [3, n]}``.
            time: seconds of each sample, ``[n]``; None: by the rate.

        Raises:
            InputError: the samples or times are of another kind or shape.
        """
        return self.take([self.checked(data, time)])

    def take(self, pieces: Iterable[ImuPiece]) -> list[ReadyWindow]:
        """The windows that are complete with pieces that :meth:`checked` has seen."""
        ready: list[ReadyWindow] = []
        for piece in pieces:
            ready += self._take(piece)
        self._skew.look({name: held.newest for name, held in self._sensors.items()})
        ready += self._complete(self._reorder)
        begun = self._grid.origin is not None
        self.due = self._grid.end + self._reorder - _OF_PERIOD * self._period if begun else float("-inf")
        return ready

    def newest(self, sensor: str) -> float:
        """The newest time of a sensor on the present run of its clock."""
        found = self._clocks[sensor].newest
        return float("-inf") if found is None else found

    def _take(self, piece: ImuPiece) -> list[ReadyWindow]:
        sensor, samples, times = piece
        if times is None:
            times = self._by_rate(sensor, samples.shape[1])
        good = np.isfinite(samples).all(axis=0) & np.isfinite(times)
        if not good.all():
            self._note_not_finite(sensor, times[~good])
            samples, times = samples[:, good], times[good]
        if len(times) == 0:
            return []
        ready: list[ReadyWindow] = []
        before = self.newest(sensor)
        stamped = Stamped(float(times.min()), float(times.max()), np.concatenate([times[None], samples]))
        for step in self._clocks[sensor].take(stamped):
            if isinstance(step, Anew):
                ready += self._complete(0.0)
                self._begin_anew(sensor, step.key)
            else:
                self._add(sensor, step.piece, before)
        return ready

    def end(self) -> list[ReadyWindow]:
        """The windows that waited for samples out of order."""
        for clock in self._clocks.values():
            clock.end()
        return self._complete(0.0)

    def checked(self, data: Any, time: Any) -> ImuPiece:
        """The piece; see :meth:`push` for what it raises."""
        piece = imu_piece(data, time)
        wanted = ("both",) if piece.sensor == "both" else ("acc", "gyro")
        if self._sensors and wanted != tuple(self._sensors):
            raise InputError(
                "imu", "samples of both sensors, and of one alone, in one stream", "push one or the other"
            )
        if piece.times is None and self._rate is None:
            raise InputError("imu", "the samples have no times", "pass times=…, or live(…, rate=…)")
        for sensor in wanted if not self._sensors else ():
            self._sensors[sensor] = TimedSamples(ROWS[sensor])
            self._clocks[sensor] = StampClock(self._reorder, self.counts)
            self._anew[sensor] = 0
        return piece

    def _by_rate(self, sensor: str, count: int) -> Array:
        assert self._rate is not None
        first = self._counted.get(sensor, 0)
        self._counted[sensor] = first + count
        times: Array = np.arange(first, first + count) / self._rate
        return times

    def _note_not_finite(self, sensor: str, times: Array) -> None:
        """Count samples that are left out; the times are theirs, numbers or not."""
        newest = self._sensors[sensor].newest
        place = float(times[0]) if np.isfinite(times[0]) else self._grid.start if newest is None else newest
        self._incidents.add(place, "not_finite", len(times))

    def _add(self, sensor: str, piece: Array, newest: float) -> None:
        """Keep what a window can need; between two windows, and behind ``newest`` too late, nothing can."""
        times = piece[0]
        if self._grid.origin is None:
            self._grid.begin(float(times.min()))
            if self._anew_key:
                self._incidents.note(self._grid.start, self._anew_key)
        in_time = times >= self._grid.start
        if not in_time.all():
            self.counts.add("late", int(np.count_nonzero(times[~in_time] <= newest)))
            piece = piece[:, in_time]
        if piece.shape[1]:
            self._look_at(sensor, piece[0])
            for key, value in self._sensors[sensor].add(piece[0], piece[1:])._asdict().items():
                if value:
                    self._incidents.add(float(piece[0].min()), key, value)

    def _look_at(self, sensor: str, times: Array) -> None:
        """Count gaps, and times that are uneven by more than half a period."""
        newest = self._sensors[sensor].newest
        steps = np.diff(times if newest is None else np.concatenate([[newest], times]))
        for at in np.flatnonzero(steps > self._options["max_gap"] + _ROUNDING):
            place = float(times[at if newest is not None else at + 1])
            self._incidents.add(place, "gaps")
            self._incidents.add(place, "gap_seconds", float(steps[at]))
        if self._period and (uneven := int((np.abs(steps - self._period) > 0.5 * self._period).sum())):
            self._incidents.count("jitter", uneven)

    def _begin_anew(self, sensor: str, key: str) -> None:
        """One sensor's clock began anew. The windows begin anew with the first sensor that does."""
        self._anew[sensor] += 1
        lead = self._lead()
        self._sensors[sensor].clear()
        if self._anew[sensor] < max(self._anew.values()):
            return
        self.counts.add(key)
        if lead is not None:
            self._lose(self._grid.numbers_before(lead), "the sensor's clock began anew")
        self._grid.clear()
        self._anew_key = key
        self._incidents.clear()
        self._skew.restart()

    def _lead(self) -> float | None:
        return max((s.newest for s in self._sensors.values() if s.newest is not None), default=None)

    def _complete(self, reorder: float) -> list[ReadyWindow]:
        """The windows whose last sample must have come."""
        ready: list[ReadyWindow] = []
        lead = self._lead()
        if lead is None:
            return ready
        newest = [float("-inf") if s.newest is None else s.newest for s in self._sensors.values()]
        while True:
            due = self._grid.end + reorder
            if min(newest) >= due - _OF_PERIOD * self._period and (lead >= due or self._period):
                ready += self._next()
            elif lead < due + _PATIENCE:
                return ready
            elif min(newest) >= self._grid.end - _OF_PERIOD * self._period:
                ready += self._next()
            else:
                behind = self._grid.numbers_before(lead - self._grid.window - reorder - _PATIENCE)
                self._lose(max(behind, 1), "a sensor gave nothing")
            for held in self._sensors.values():
                held.forget_before(self._grid.start)
            self._incidents.forget_before(self._grid.start)

    def _next(self) -> list[ReadyWindow]:
        """The next window, if it can be made; and on to the one after it."""
        start, end = self._grid.start, self._grid.end
        firsts = [held.first_from(start) for held in self._sensors.values()]
        first = max((f for f in firsts if f is not None), default=start)
        if first >= end:  # nothing for whole windows
            self._lose(max(self._grid.numbers_before(first - self._grid.window), 1), "a gap")
            return []
        try:
            views = prepare(self._item(start, end), DEFAULT_LIMITS)
        except InputError as error:
            self._lose(1, error.problem)
            return []
        self._grid.advance()
        self.counts.add("windows")
        notes = {**self._incidents.within(start, end), **views.notes}
        if self._skew.seconds:
            notes["clock_skew"] = self._skew.seconds
        return [ReadyWindow(start, end, Prepared(views.array[0], notes), notes)]

    def _item(self, start: float, end: float) -> Imu:
        cuts = {sensor: held.between(start, end) for sensor, held in self._sensors.items()}
        self._period = max(float(np.median(np.diff(t))) if len(t) > 1 else 0.0 for t, _ in cuts.values())
        if "both" in cuts:
            times, samples = cuts["both"]
            return Imu(samples, timestamps=times, **self._options)
        table = {sensor: samples for sensor, (_, samples) in cuts.items()}
        table |= {f"{sensor}_time": times for sensor, (times, _) in cuts.items()}
        return Imu(table, time_unit="s", **self._options)

    def _lose(self, windows: int, why: str) -> None:
        self._grid.advance(windows)
        self.counts.add("windows_lost", windows)
        if windows:
            self.last_error = why
