"""Which frames of a video its windows need, told before they are decoded."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bindrt.modalities.steps import constants as c
from bindrt.streams.windows.frame_windows import LAST, ROUNDING, likely_indices
from bindrt.streams.windows.schedule import Schedule


@dataclass(frozen=True)
class Part:
    """The part of a video that is wanted, in seconds from its first frame.

    Attributes:
        fps: the video's frames per second.
    """

    start: float
    end: float | None
    fps: float

    def is_inside(self, time: float) -> bool:
        slack = ROUNDING / self.fps
        return time >= self.start - slack and (self.end is None or time < self.end - slack)

    def is_behind(self, time: float) -> bool:
        """Whether no frame that follows is wanted; times may go back by rounding."""
        return self.end is not None and time > self.end + 1 / self.fps


@dataclass
class _Open:
    """A window that has begun; ``end`` is in seconds from the first window's begin."""

    end: float
    frames: int = 0


class WindowNeeds:
    """Answers for each frame whether a window of at most 2 s holds it: :class:`FrameWindows` holds no others.

    A window needs frames by their number in it, and its last ones. So there is no answer before some more
    frames are known.

    >>> needs = WindowNeeds(Part(0.0, None, 10.0), Schedule.of(1.0, 1.0))
    >>> answers = [answer for i in range(20) for answer in needs.add(i / 10)] + needs.finish()
    >>> [i for i, is_needed in enumerate(answers) if not is_needed]
    [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16]
    """

    def __init__(self, part: Part, schedule: Schedule) -> None:
        self._part, self._schedule = part, schedule
        self._likely = likely_indices(part.fps, float(schedule.window))
        self._slack = ROUNDING / part.fps
        self._open: deque[_Open] = deque()
        self._begun = 0
        self._next_begin = 0.0
        self._asked: deque[bool] = deque()  # frames that may still be the last ones of a window

    @staticmethod
    def are_known(schedule: Schedule) -> bool:
        """Whether its windows are as short as that; longer ones may hold all frames."""
        return float(schedule.window) <= c.VIDEO_CLIP_SECONDS

    def add(self, time: float) -> list[bool]:
        """The answers that are certain once there is a frame at this time, counted from the first frame."""
        if not self._part.is_inside(time):
            return [*self.finish(), False]
        self._move_to(max(time - self._part.start, 0.0))
        self._asked.append(any(window.frames in self._likely for window in self._open))
        for window in self._open:
            window.frames += 1
        return [self._asked.popleft()] if len(self._asked) > LAST else []

    def finish(self) -> list[bool]:
        """The answers for the frames that are left: they are the last ones of a window."""
        left = [True] * len(self._asked)
        self._asked.clear()
        return left

    def _move_to(self, time: float) -> None:
        while self._open and self._open[0].end - self._slack <= time:
            self._open.popleft()
            self._asked = deque([True] * len(self._asked))
        while self._next_begin - self._slack <= time:
            begin = self._begun * self._schedule.hop
            end = float(begin + self._schedule.window)
            if end - self._slack > time:
                self._open.append(_Open(end))
            self._begun += 1
            self._next_begin = float(self._begun * self._schedule.hop)
