"""Windows of a video: of all frames that are decoded, only those that a window can still need are kept."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bindrt.arrays import item_name
from bindrt.errors import Error, InputError, SourceError
from bindrt.limits import Limits
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.clips import frame_pairs
from bindrt.modalities.steps.span import check_span
from bindrt.modalities.video import ArrayFrames, Frames, Video, from_frames, require_file
from bindrt.notes import SHORT_WINDOW
from bindrt.sources import is_file_source, open_source
from bindrt.sources.animations import animation_of
from bindrt.sources.formats import sniff
from bindrt.sources.frames import Frame, ShownFrame
from bindrt.sources.image import open_picture
from bindrt.sources.played import is_animation
from bindrt.sources.playing import Playing, open_playing
from bindrt.sources.video import Read, Take
from bindrt.streams.windows.ahead import Ahead
from bindrt.streams.windows.cuts import DECODED, Cut, Losses, cut_of
from bindrt.streams.windows.schedule import Schedule

_ROUNDING = 1e-6  # of a frame: times are sums of fractions
_OFF = 2  # frames by which a window may have more or fewer than its length says
_SMALL = 48 << 20  # pixels of all frames of a window, of 1.5 bytes each
_TOGETHER = 4  # frames that are handed on together: what a frame costs is small beside decoding it
_LAST = 2  # frames at the end of a window that are always kept


@dataclass
class WindowFrames:
    """The frames of one window, of which those are held that its clips begin and end with.

    It is what :func:`bindrt.modalities.video.from_frames` takes. Where another frame is needed than was held,
    the one before stands in: in a video whose frames come in bursts, and in a last window that ends early.
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
        pixels = self.width * self.height * self.fps * self.seconds
        return self.seconds > c.VIDEO_CLIP_SECONDS and pixels <= _SMALL

    @property
    def width(self) -> int:
        return self._held[0].frame().width

    @property
    def height(self) -> int:
        return self._held[0].frame().height

    def add(self, frame: ShownFrame) -> None:
        self._held[self.frames] = frame
        if (old := self.frames - _LAST) not in self.likely and not self._holds_all:
            self._held.pop(old, None)
        self.frames += 1

    def between(self, start: float, end: float | None) -> range:
        return range(self.frames)

    def read(self, wanted: Sequence[int], take: Take, limits: Limits, strict: bool) -> Read:
        for index in wanted:
            take(index, self._held[max(held for held in self._held if held <= index)].frame())
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


class FrameCuts:
    """Sorts frames into the windows that they lie in."""

    def __init__(self, item: Video, fps: float, schedule: Schedule, limits: Limits) -> None:
        self._item = replace(item, start=None, end=None, strict=False)
        self._fps, self._schedule, self._limits = fps, schedule, limits
        self._likely = likely_indices(fps, float(schedule.window))
        self._slack = _ROUNDING / fps
        self._open: list[WindowFrames] = []
        self._begun = 0  # windows that have begun
        self.whole = 0  # windows that are behind
        self.end = 0.0  # when the last frame ends, from the first window's begin

    @property
    def held(self) -> int:
        """Frames that are kept for open windows; one that several need counts for each."""
        return sum(window.held for window in self._open)

    def add(self, time: float, frame: ShownFrame) -> Iterator[Cut]:
        """The windows that end before this frame; ``time`` is in seconds from the first window's begin."""
        while self._end(self.whole) - self._slack <= time:
            yield from self._close(None)
        while float(self._begun * self._schedule.hop) - self._slack <= time:
            self._open.append(
                WindowFrames(self._begun, float(self._schedule.window), self._fps, self._likely)
            )
            self._begun += 1
        for window in self._open:
            window.add(frame)
        self.end = time + 1 / self._fps

    def finish(self) -> Iterator[Cut]:
        """The windows that were still open: whole ones, then perhaps a shorter one."""
        while self._end(self.whole) <= self.end + self._slack:
            yield from self._close(None)
        if self._schedule.rest(self.whole, self.end) is not None:
            yield from self._close(self.end)

    def _end(self, number: int) -> float:
        return float(number * self._schedule.hop + self._schedule.window)

    def _close(self, ended: float | None) -> Iterator[Cut]:
        """The next window, if it has frames; ``ended`` is when a shorter one ends."""
        number = self.whole
        self.whole += 1
        if number >= self._begun:
            self._begun = self.whole  # no frame was shown in it
            return
        window = self._open.pop(0)
        if not window.frames:
            return
        start, end = self._schedule.start(number), self._schedule.end(number)
        views = from_frames(window, self._item, self._limits)
        if ended is None:
            yield cut_of(number, start, end, views)
        else:
            end = float(self._schedule.origin) + ended
            yield cut_of(number, start, end, views).noted({SHORT_WINDOW: round(end - start, 3)})


def video_cuts(item: Video, schedule: Schedule, limits: Limits) -> Iterator[Cut]:
    """Each window of a video that has a frame, then perhaps a shorter one, then the error that ended it.

    A vector's input is that of ``Video(src, start=…, end=…)`` for the same seconds.
    """
    name = item_name(item.src)
    start, end = check_span(item.start, item.end, name)
    lost, damaged = Losses("lost_packets"), Losses("damaged_frames")
    failure: Error | None = None
    cuts: list[SourceError] = []
    with _opened(item, limits, cuts) as source:
        made = FrameCuts(item, source.fps, schedule, limits)
        frames = Ahead(_frames(source, limits), DECODED, "bindrt-decode")
        slack = _ROUNDING / source.fps
        try:
            for shown, losses in frames:
                begin, stop = shown[0][0] - start, shown[-1][0] - start + 1 / source.fps
                for losing, so_far in zip((lost, damaged), losses, strict=True):
                    losing.met(so_far, begin, stop)
                for time, frame in shown:
                    if time < start - slack or (end is not None and time >= end - slack):
                        continue
                    for cut in made.add(max(time - start, 0.0), frame):
                        yield _noted(cut, schedule, lost, damaged)
                if end is not None and stop + start > end + 1 / source.fps:
                    break
        except Error as error:
            failure = error
        finally:
            frames.close()
        for cut in made.finish():
            yield _noted(cut, schedule, lost, damaged)
        if failure is not None or cuts:
            raise failure or cuts[0]
        if not made.end:
            raise InputError(name, f"no frame is shown from {start:g} s", "give seconds within the video")
        if item.strict and isinstance(source, Playing) and (source.lost or source.damaged):
            raise SourceError(name, f"{source.lost + source.damaged} packets are damaged", _STRICT)


_STRICT = "leave strict out to embed what can be decoded"


def _noted(cut: Cut, schedule: Schedule, *losses: Losses) -> Cut:
    origin = float(schedule.origin)
    for each in losses:
        cut = cut.noted(each.within(cut.start - origin, cut.end - origin))
    return cut


@contextlib.contextmanager
def _opened(item: Video, limits: Limits, cuts: list[SourceError]) -> Iterator[Playing | Frames]:
    """A file that plays; or pictures in memory, which can be asked for one by one."""
    if not is_file_source(item.src):
        yield ArrayFrames(item, limits)
        return
    require_file(item)
    opened = replace(open_source(item.src, limits), cuts=cuts)
    if is_animation(opened, sniff(opened)):
        with open_picture(opened, limits) as picture:
            yield animation_of(picture, opened, limits)
        return
    with open_playing(opened, limits) as playing:
        yield playing


def _frames(
    source: Playing | Frames, limits: Limits
) -> Iterator[tuple[list[tuple[float, ShownFrame]], tuple[int, int]]]:
    """Some frames with their times, and how many packets and frames were lost and damaged up to the last."""
    kept: list[tuple[float, ShownFrame]] = []
    failure: Error | None = None
    try:
        for each in source.frames() if isinstance(source, Playing) else _pictures(source, limits):
            kept.append(each)
            if len(kept) == _TOGETHER:
                yield kept, _losses(source)
                kept = []
    except Error as error:
        failure = error
    if kept:
        yield kept, _losses(source)
    if failure is not None:
        raise failure


def _losses(source: Playing | Frames) -> tuple[int, int]:
    return (source.lost, source.damaged) if isinstance(source, Playing) else (0, 0)


def _pictures(source: Frames, limits: Limits) -> Iterator[tuple[float, ShownFrame]]:
    """Pictures that can be asked for, one after the other."""
    for index in range(source.frames):
        found: list[Frame] = []
        source.read([index], lambda _, frame, found=found: found.append(frame), limits, False)  # type: ignore[misc]
        yield index / source.fps, ShownFrame.of(found[0])
