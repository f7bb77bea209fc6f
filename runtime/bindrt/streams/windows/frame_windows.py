"""A video's frames, sorted into the windows that they lie in; only what a window can still need stays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bindrt.limits import Limits
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.clips import frame_pairs
from bindrt.modalities.steps.output_rows import Reserve
from bindrt.modalities.video import Video, from_frames
from bindrt.notes import SHORT_WINDOW, Notes
from bindrt.sources.frames import Frame, ShownFrame
from bindrt.sources.video import Read, Take
from bindrt.streams.windows.cuts import Cut, cut_of
from bindrt.streams.windows.schedule import Schedule

ROUNDING = 1e-6  # of a frame: times are sums of fractions
_OFF = 2  # frames by which a window may have more or fewer than its length says
_SMALL = 48 << 20  # pixels of all frames of a window, of 1.5 bytes each
_NEARLY = 0.1  # of a frame: a video that ends so little early is whole; Matroska's times are rounded to 1 ms
LAST = 2  # frames at the end of a window that are always kept


@dataclass
class WindowFrames:
    """The frames of one window, of which those are held that its clips begin and end with.

    It is what :func:`bindrt.modalities.video.from_frames` takes. Where another frame is needed than was held,
    the one before stands in: in a video whose frames come in bursts, in a last window that ends early, and
    beside damage.
    Windows of several clips hold all frames if they are small.

    Attributes:
        number: the window's.
        seconds: its length.
        fps: the video's frames per second.
        likely: indices that are held, of the window's frames from 0.
        frames: how many have come.
    """

    number: int
    seconds: float
    fps: float
    likely: frozenset[int]
    frames: int = 0
    _held: dict[int, ShownFrame] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return len(self._held)

    @property
    def _holds_all(self) -> bool:
        if self.seconds <= c.VIDEO_CLIP_SECONDS:
            return False
        return self._held[0].pixels * self.fps * self.seconds <= _SMALL

    @property
    def width(self) -> int:
        return self._any.width

    @property
    def height(self) -> int:
        return self._any.height

    @property
    def _any(self) -> Frame:
        return next(iter(self._held.values())).frame()

    def add(self, frame: ShownFrame | None) -> None:
        """The next frame; None: one that was not decoded, since no window needs it."""
        if frame is not None:
            self._held[self.frames] = frame
        if (old := self.frames - LAST) not in self.likely and not self._holds_all:
            self._held.pop(old, None)
        self.frames += 1

    def between(self, start: float, end: float | None) -> range:
        return range(self.frames)

    def read(self, wanted: Sequence[int], take: Take, limits: Limits, strict: bool) -> Read:
        for index in wanted:
            before = [held for held in self._held if held <= index]
            take(index, self._held[max(before) if before else min(self._held)].frame())
        return Read(frozenset(wanted), self.frames)


def likely_indices(fps: float, seconds: float) -> frozenset[int]:
    """Which frames of a window's clips may be needed, whether it has a frame more or fewer.

    >>> sorted(likely_indices(25.0, 2.0))[:3], sorted(likely_indices(25.0, 2.0))[-3:]
    ([0, 1, 2], [49, 50, 51])
    """
    usual = math.ceil(seconds * fps)
    counts = range(max(usual - _OFF, 1), usual + _OFF + 1)
    pairs = (frame_pairs(n, fps, c.VIDEO_CLIPS, c.VIDEO_CLIP_SECONDS) for n in counts)
    return frozenset({0} | {index for each in pairs for pair in each for index in pair})


@dataclass(frozen=True, eq=False)
class Closed:
    """A window of which all frames have come; it is still to be prepared.

    Attributes:
        number: its number in the schedule.
        start, end: seconds from the beginning of the source.
        notes: what a user should know.
    """

    number: int
    start: float
    end: float
    frames: WindowFrames
    notes: Notes

    def noted(self, more: Notes) -> Closed:
        """The same with more notes."""
        return replace(self, notes={**self.notes, **more}) if more else self

    def cut(self, item: Video, limits: Limits, reserve: Reserve | None = None) -> Cut:
        """The window, prepared with the options of ``item``."""
        whole = replace(item, start=None, end=None, strict=False)
        views = from_frames(self.frames, whole, limits, reserve)
        return cut_of(self.number, self.start, self.end, views).noted(self.notes)


class FrameWindows:
    """Sorts frames into the windows that they lie in.

    Args:
        fps: frames per second.
    """

    def __init__(self, fps: float, schedule: Schedule) -> None:
        self._fps, self._schedule = fps, schedule
        self._likely = likely_indices(fps, float(schedule.window))
        self._slack = ROUNDING / fps
        self._open: list[WindowFrames] = []
        self._begun = 0  # windows that have begun
        self.whole = 0  # windows that are behind
        self.end = 0.0  # when the last frame ends, from the first window's begin
        self._look()

    @property
    def held(self) -> int:
        """Frames that are kept for open windows; one that several need counts for each."""
        return sum(window.held for window in self._open)

    def add(self, time: float, frame: ShownFrame | None) -> Iterator[Closed]:
        """The windows that end before this frame; ``time`` is in seconds from the first window's begin.

        A frame of None was not decoded, since no window needs it.
        """
        while self._next_end - self._slack <= time:
            yield from self._close(None)
        while self._next_begin - self._slack <= time:
            self._open.append(
                WindowFrames(self._begun, float(self._schedule.window), self._fps, self._likely)
            )
            self._begun += 1
            self._look()
        for window in self._open:
            window.add(frame)
        self.end = time + 1 / self._fps

    def finish(self) -> Iterator[Closed]:
        """The windows that were still open: whole ones, then perhaps a shorter one."""
        while self._next_end <= self.end + _NEARLY / self._fps:
            yield from self._close(None)
        if self._schedule.rest(self.whole, self.end) is not None:
            yield from self._close(self.end)

    def _look(self) -> None:
        """When the next window ends, and when another begins: sums of fractions take long for each frame."""
        self._next_end = float(self.whole * self._schedule.hop + self._schedule.window)
        self._next_begin = float(self._begun * self._schedule.hop)

    def _close(self, ended: float | None) -> Iterator[Closed]:
        """The next window, if it has frames; ``ended`` is when a shorter one ends."""
        number = self.whole
        self.whole += 1
        is_unseen = number >= self._begun  # no frame was shown in it
        self._begun = max(self._begun, self.whole)
        self._look()
        if is_unseen:
            return
        window = self._open.pop(0)
        if not window.held:
            return
        start, end = self._schedule.start(number), self._schedule.end(number)
        if ended is None:
            yield Closed(number, start, end, window, {})
        else:
            end = float(self._schedule.origin) + ended
            yield Closed(number, start, end, window, {SHORT_WINDOW: round(end - start, 3)})
