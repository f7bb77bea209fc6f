"""Windows of a video: one thread decodes and sorts frames, another prepares what windows need of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bindrt import _core
from bindrt.arrays import Array, item_name
from bindrt.errors import Error, InputError, SourceError
from bindrt.limits import Limits
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.span import check_span
from bindrt.modalities.video import ArrayFrames, Frames, Video, require_file
from bindrt.sources import is_file_source, open_source
from bindrt.sources.animations import animation_of
from bindrt.sources.formats import sniff
from bindrt.sources.frames import Frame, ShownFrame
from bindrt.sources.image import open_picture
from bindrt.sources.played import is_animation
from bindrt.sources.playing import Playing, open_playing
from bindrt.streams.windows.ahead import Ahead
from bindrt.streams.windows.cuts import Cut, Losses
from bindrt.streams.windows.frame_windows import Closed, FrameWindows
from bindrt.streams.windows.needs import Part, WindowNeeds
from bindrt.streams.windows.schedule import Schedule

_KEPT = 64 << 20  # bytes that windows were prepared in, and others will be
_WAITING = 2  # windows whose frames wait to be prepared, while a third one is


def video_cuts(item: Video, schedule: Schedule, limits: Limits) -> Iterator[Cut]:
    """Each window of a video that has a frame, then perhaps a shorter one, then the error that ended it.

    A vector's input is that of ``Video(src, start=…, end=…)`` for the same seconds.
    """
    name = item_name(item.src)
    start, end = check_span(item.start, item.end, name)
    memory = _core.Arrays(_KEPT)

    def rows(count: int) -> Array:
        return memory.make((count, 3, c.VIDEO_FRAMES, c.SIDE, c.SIDE))

    cuts: list[SourceError] = []
    with _opened(item, limits, cuts) as source:
        sorting = _Sorting(source, Part(start, end, source.fps), schedule, strict=item.strict)
        windows = Ahead(sorting.windows(limits), _WAITING, "bindrt-decode")
        try:
            for window in windows:
                yield window.cut(item, limits, rows)
        finally:
            windows.close()
        if cuts:
            raise cuts[0]
        if not sorting.has_frames:
            raise InputError(name, f"no frame is shown from {start:g} s", "give seconds within the video")
        if item.strict and isinstance(source, Playing) and (source.lost or source.damaged):
            raise SourceError(name, f"{source.lost + source.damaged} packets are damaged", _STRICT)


_STRICT = "leave strict out to embed what can be decoded"


@dataclass
class _Sorting:
    """Decodes a source and sorts its frames; times are seconds from its first frame.

    Attributes:
        part: which part of it is wanted.
        strict: decodes also the frames that no window needs.
        has_frames: whether a frame lies there, once all windows were given.
    """

    source: Playing | Frames
    part: Part
    schedule: Schedule
    strict: bool
    has_frames: bool = False
    _lost: tuple[int, int] = (0, 0)

    def windows(self, limits: Limits) -> Iterator[Closed]:
        """The windows; those that are open when decoding fails come before the error."""
        start = self.part.start
        made = FrameWindows(self.source.fps, self.schedule)
        losses = Losses("lost_packets"), Losses("damaged_frames")
        failure: Error | None = None
        time = start
        try:
            for time, frame in self._frames(limits):
                self._look(losses, time)
                if self.part.is_behind(time):
                    break
                if self.part.is_inside(time):
                    for window in made.add(max(time - start, 0.0), frame):
                        yield self._noted(window, losses)
        except Error as error:
            failure = error
        self._look(losses, time)  # what was lost behind the last frame
        for window in made.finish():
            yield self._noted(window, losses)
        self.has_frames = made.end > 0
        if failure is not None:
            raise failure

    def _frames(self, limits: Limits) -> Iterator[tuple[float, ShownFrame | None]]:
        if not isinstance(self.source, Playing):
            return _pictures(self.source, limits)
        leaves_out = WindowNeeds.are_known(self.schedule) and not self.strict
        return self.source.frames(WindowNeeds(self.part, self.schedule) if leaves_out else None)

    def _look(self, losses: tuple[Losses, ...], time: float) -> None:
        """What was lost since the frame before."""
        lost = _losses(self.source)
        if lost == self._lost:
            return
        self._lost = lost
        for losing, so_far in zip(losses, lost, strict=True):
            losing.met(so_far, time - self.part.start, time - self.part.start + 1 / self.source.fps)

    def _noted(self, window: Closed, losses: tuple[Losses, ...]) -> Closed:
        origin = float(self.schedule.origin)
        for each in losses:
            window = window.noted(each.within(window.start - origin, window.end - origin))
        return window


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


def _losses(source: Playing | Frames) -> tuple[int, int]:
    return (source.lost, source.damaged) if isinstance(source, Playing) else (0, 0)


def _pictures(source: Frames, limits: Limits) -> Iterator[tuple[float, ShownFrame]]:
    """Pictures that can be asked for, one after the other."""
    for index in range(source.frames):
        found: list[Frame] = []
        source.read([index], lambda _, frame, found=found: found.append(frame), limits, False)  # type: ignore[misc]
        yield index / source.fps, ShownFrame.of(found[0])
