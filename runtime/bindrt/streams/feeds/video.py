"""Video: frames to windows; of the frames only those are kept that a window can still need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bindrt import _core, arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, OptionError
from bindrt.items import Prepared
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.clips import frame_pairs
from bindrt.modalities.steps.view_plan import plan_views
from bindrt.numeric import is_number, is_positive
from bindrt.streams.feeds.counts import Counts, Incidents
from bindrt.streams.feeds.feed import ReadyWindow
from bindrt.streams.feeds.frame_order import FrameOrder
from bindrt.streams.feeds.layouts import checked_frame, frame_size, picture_of, require_layout
from bindrt.streams.feeds.stamp_clock import Anew, StampClock, Stamped
from bindrt.streams.feeds.time_grid import TimeGrid

_KNOWN = 8  # frames after which the rate is known
_OF_FRAME = 1.01  # a window is complete if the next frame, after this part of a period, is not in it


class _Kept:
    """A frame, and its crops once a window needs them."""

    def __init__(self, frame: Array, layout: str, time: float) -> None:
        self.time = time
        self._frame: Array | None = frame
        self._layout = layout
        self.size = frame_size(frame, layout)
        self.offsets = _core.video_crop_offsets(*self.size)
        self._crops: Array | None = None

    def crops(self) -> Array:
        """``[C, 3, 224, 224]``, of the three crops the different ones; made once, and the frame is let go."""
        if self._crops is None:
            assert self._frame is not None
            different = list(dict.fromkeys(self.offsets))
            out = np.empty((len(different), 3, 1, c.SIDE, c.SIDE), np.float32)
            places = [(self.offsets.index(offset), view, 0) for view, offset in enumerate(different)]
            _core.video_crops(picture_of(self._frame, self._layout), out, places)
            self._crops, self._frame = out[:, :, 0], None
        return self._crops

    def crop(self, offset: int) -> Array:
        crop: Array = self.crops()[list(dict.fromkeys(self.offsets)).index(offset)]
        return crop


@dataclass
class _Open:
    """A window that is not complete yet.

    Attributes:
        wanted: which of its frames it can need, besides the last; None: any.
        count: its frames so far.
        frames: those that are kept.
    """

    start: float
    end: float
    wanted: frozenset[int] | None
    count: int = 0
    frames: dict[int, _Kept] = field(default_factory=dict)

    def add(self, frame: _Kept) -> None:
        if self.wanted is None or self.count in self.wanted:
            self.frames[self.count] = frame
        self.count += 1

    def frame(self, index: int) -> _Kept:
        """A frame by its index in the window; the nearest that is kept."""
        return self.frames[min(self.frames, key=lambda kept: abs(kept - index))]


class VideoFeed:
    """Frames of a camera.

    Args:
        window, hop: seconds of a window, and from the start of one to the next.
        fps: frames per second; None: as the frames' times say.
        layout: of the frames, see :func:`bindrt.streams.feeds.layouts.checked_frame`.
        reorder: seconds within which frames with times may come out of order. A frame that comes too early
            waits so long for those before it; what is later is left out.
        max_gap: seconds without a frame that are counted as a gap.

    Raises:
        OptionError: an argument is out of range.

    >>> feed = VideoFeed(window=2.0, hop=1.0, fps=10)
    >>> [w.start for i in range(30) for w in feed.push(np.zeros((48, 64, 3), np.uint8))]
    [0.0, 1.0]
    """

    def __init__(
        self,
        window: float = 2.0,
        hop: float = 1.0,
        fps: float | None = None,
        layout: str = "RGB",
        reorder: float = 0.1,
        max_gap: float = 0.5,
    ) -> None:
        if fps is not None and not is_positive(fps):
            raise OptionError(f"fps={fps!r}", "not a rate", "give the number of frames per second, or None")
        require_layout(layout)
        self._fps, self._layout, self._max_gap = fps, layout, max_gap
        self._grid = TimeGrid(window, hop)
        self.counts = Counts()
        self._incidents = Incidents(self.counts)
        self._clock: StampClock[Array] = StampClock(reorder, self.counts)
        self._order = FrameOrder(reorder, fps)
        self._open: list[_Open] = []
        self._latest: _Kept | None = None
        self._seen, self._first = 0, 0.0  # frames of the run so far, and the time of the first
        self._key = ""
        #: Why the last window that was lost could not be made.
        self.last_error = ""

    def push(self, data: Any, time: Any = None) -> list[ReadyWindow]:
        """The windows that are complete with a frame.

        Args:
            data: the frame, a uint8 array.
            time: its seconds; None: by the rate.

        Raises:
            InputError: the frame has another shape or dtype.
        """
        frame = self.checked(data, time)
        if time is None:
            return self._take(self._by_rate(), frame)
        ready: list[ReadyWindow] = []
        for step in self._clock.take(Stamped(float(time), float(time), frame)):
            ready += self._begin_anew(step) if isinstance(step, Anew) else self._ordered(step)
        return ready

    def end(self) -> list[ReadyWindow]:
        """The windows that are complete, if no frame follows the last one."""
        self._clock.end()
        ready = self._released()
        latest, rate = self._latest, self._fps or self._rate()
        return ready if latest is None or not rate else ready + self._complete(latest.time + _OF_FRAME / rate)

    def checked(self, data: Any, time: Any) -> Array:
        """The frame as an array; see :meth:`push` for what it raises."""
        if time is not None and not is_number(time):
            raise InputError(arrays.item_name(data), f"its time is {time!r}", "seconds, or None")
        if time is None and self._fps is None:
            raise InputError(
                arrays.item_name(data), "the frame has no time", "pass time=…, or live(…, fps=…)"
            )
        return checked_frame(data, self._layout)

    def _by_rate(self) -> float:
        assert self._fps is not None
        return self._first + self._seen / self._fps

    def _ordered(self, step: Stamped[Array]) -> list[ReadyWindow]:
        if self._order.is_out_of_order(step.first):
            self._incidents.add(step.first, "reordered")
        return self._taken(self._order.take(step.first, step.piece))

    def _released(self) -> list[ReadyWindow]:
        """The windows that are complete with the frames that wait for others."""
        return self._taken(self._order.end())

    def _taken(self, frames: Iterable[tuple[float, Array]]) -> list[ReadyWindow]:
        return [window for time, frame in frames for window in self._take(time, frame)]

    def _take(self, time: float, frame: Array) -> list[ReadyWindow]:
        """The windows that are complete with the next frame."""
        latest = self._latest
        if latest is None:
            self._grid.begin(time)
            self._first = time
            if self._key:
                self._incidents.note(time, self._key)
        elif time <= latest.time:
            self._incidents.add(latest.time, "duplicates" if time == latest.time else "late")
            return []
        elif time - latest.time > self._max_gap:
            self._incidents.add(time, "gaps")
            self._incidents.add(time, "gap_seconds", time - latest.time)
        ready = self._complete(time)
        self._open_until(time)
        self._latest = kept = _Kept(frame, self._layout, time)
        for window in self._open:
            window.add(kept)
        self._seen += 1
        if self._fps is not None:
            ready += self._complete(time + _OF_FRAME / self._fps)
        return ready

    def _open_until(self, time: float) -> None:
        """Open the windows that hold ``time``; those that ended before it have no frame, and are lost."""
        missed = self._grid.numbers_before(time - self._grid.window)
        self._grid.advance(missed)
        if self._grid.end <= time:
            missed += 1
            self._grid.advance()
        self.counts.add("windows_lost", missed)
        while self._grid.start <= time:
            self._open.append(_Open(self._grid.start, self._grid.end, self._wanted()))
            self._grid.advance()

    def _complete(self, time: float) -> list[ReadyWindow]:
        """The open windows that end by ``time``: no frame of theirs can come any more."""
        ready = []
        while self._open and self._open[0].end <= time:
            try:
                ready.append(self._made(self._open.pop(0)))
            except InputError as error:
                self.counts.add("windows_lost")
                self.last_error = error.problem
        return ready

    def _begin_anew(self, step: Anew) -> list[ReadyWindow]:
        ready = self._released()
        self._order.restart()
        self.counts.add(step.key)
        self.counts.add("windows_lost", len(self._open))
        self._open = []
        self._latest = None
        self._seen = 0
        self._incidents.clear()
        self._key = step.key
        return ready

    def _rate(self) -> float:
        """Frames per second as the times say; 0 while too few have come."""
        if self._latest is None or self._seen < _KNOWN or self._latest.time <= self._first:
            return 0.0
        return (self._seen - 1) / (self._latest.time - self._first)

    def _wanted(self) -> frozenset[int] | None:
        """The frames of the next window that may be needed, for as many as it may come to have."""
        if self._grid.window <= c.VIDEO_CLIP_SECONDS:
            return frozenset((0,))
        rate = self._fps or self._rate()
        if not rate:
            return None
        usual = round(self._grid.window * rate)
        counts = range(max(usual - 1, 1), usual + 2)
        return frozenset(index for count in counts for pair in self._pairs(count) for index in pair)

    def _pairs(self, count: int) -> list[tuple[int, int]]:
        fps = self._fps or count / self._grid.window
        return frame_pairs(count, fps, c.VIDEO_CLIPS, c.VIDEO_CLIP_SECONDS)

    def _made(self, window: _Open) -> ReadyWindow:
        assert self._latest is not None
        window.frames[window.count - 1] = self._latest
        pairs = self._pairs(window.count)
        chosen = {index: window.frame(index) for pair in pairs for index in pair}
        sizes = {frame.size for frame in chosen.values()}
        if len(sizes) > 1:
            raise InputError(
                "video", f"frames of {len(sizes)} sizes in one window", "open a stream for each size"
            )
        offsets = self._latest.offsets
        plan = plan_views(pairs, offsets)
        out = np.empty((plan.views, 3, c.VIDEO_FRAMES, c.SIDE, c.SIDE), np.float32)
        for index, writes in plan.writes.items():
            for crop, view, frame_of_view in writes:
                out[view, :, frame_of_view] = chosen[index].crop(offsets[crop])
        start, end = window.start, window.end
        notes: dict[str, float | int | str] = {**self._incidents.within(start, end)}
        if nearest := sum(index not in window.frames for index in chosen):
            notes["nearest_frames"] = nearest
        if unseen := window.count - len(plan.writes):
            notes["frames_unseen"] = unseen
        self.counts.add("windows")
        self._incidents.forget_before(self._grid.start if not self._open else self._open[0].start)
        counts = np.bincount(plan.index)
        array = out if (counts == counts[0]).all() else out[plan.index]
        return ReadyWindow(start, end, Prepared(array, notes), notes)
