"""Which parts of a window's clip are the signal's, the same in every window, and which the window's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bindrt import _core
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.resample import Resampler
from bindrt.streams.feeds.mel_store import HOP


@dataclass(frozen=True)
class ClipFrames:
    """Which frames of a clip are the signal's and which the window's own.

    Attributes:
        first: the frame of the window with which the clip begins.
        phase: samples at 16 kHz by which it begins later than that frame would.
        count: of its frames.
        shared, own: its frames, by their numbers.
        length: its samples at 16 kHz.
        parts: its 10 ms that are the signal's, by their numbers.
        edges: the window's samples at 16 kHz that are the rest of it.
    """

    first: int
    phase: int
    count: int
    shared: list[range]
    own: list[range]
    length: int
    parts: range
    edges: list[range]

    @property
    def plan(self) -> _core.MelPlan:
        """The same, as a store of frames takes it."""
        shared, own = ([(each.start, each.stop) for each in parts] for parts in (self.shared, self.own))
        return _core.MelPlan(self.first, self.count, shared, own)

    @classmethod
    def of(cls, clip: range, inside: range, steps: Sequence[int]) -> ClipFrames:
        """
        Args:
            clip: the window's samples that it has, at 16 kHz.
            inside: those that do not depend on where the window is cut.
            steps: samples of the clip before which an earlier clip's mean was subtracted.
        """
        count = min(1 + (len(clip) - c.MEL_WINDOW) // HOP, c.MEL_FRAMES)

        def is_shared(frame: int) -> bool:
            start, stop = frame * HOP, frame * HOP + c.MEL_WINDOW
            is_inside = inside.start <= clip.start + start and clip.start + stop <= inside.stop
            return is_inside and not any(start < step < stop for step in steps)

        shared, own = _runs(count, is_shared)
        low = min(max(-((clip.start - inside.start) // HOP), 0), len(clip) // HOP)
        high = max(min((inside.stop - clip.start) // HOP, len(clip) // HOP), low)
        edges = [range(clip.start, clip.start + low * HOP), range(clip.start + high * HOP, clip.stop)]
        first, phase = divmod(clip.start, HOP)
        return cls(first, phase, count, shared, own, len(clip), range(low, high), [e for e in edges if e])


def _runs(count: int, is_shared: Callable[[int], bool]) -> tuple[list[range], list[range]]:
    """The numbers below ``count`` for which it is true, and the others, each as ranges."""
    found: tuple[list[range], list[range]] = ([], [])
    begin = 0
    for at in range(1, count + 1):
        if at == count or is_shared(at) != is_shared(begin):
            found[0 if is_shared(begin) else 1].append(range(begin, at))
            begin = at
    return found


def inside_of(resampler: Resampler, samples: int) -> range:
    """The samples at 16 kHz of a window for which the filter does not reach over the window's edges."""
    orig, new = resampler.orig, resampler.new
    if orig == new:
        return range(samples)
    half = resampler.half
    return range(-(-half * new // orig), max(-(-(samples - half) * new // orig), 0))
