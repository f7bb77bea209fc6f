"""A window's clips from frames that windows share, and the few that are a window's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.modalities.audio import unheard
from bindrt.modalities.modality import Views, number_equal
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.clips import clip_samples
from bindrt.modalities.steps.resample import Resampler
from bindrt.streams.feeds.clip_frames import ClipFrames, inside_of
from bindrt.streams.feeds.grid import WindowGrid
from bindrt.streams.feeds.heard import MEAN
from bindrt.streams.feeds.mel_store import HOP, mel_store
from bindrt.streams.feeds.samples import SampleBuffer
from bindrt.streams.feeds.sum_store import SumStore

_LONGEST = 16  # windows, after which their places between frames must repeat

#: Samples of a clip, and what is subtracted before each of them.
Steps = Sequence[tuple[int, float]]


class MelWindows:
    """The clips of windows of one length.

    All frames are those of the signal, the same in every window, but for two sorts. A window is silent
    outside of itself: a frame where a resampled sample reaches over its edge is the window's own. And where
    clips overlap, the original subtracts the mean of one from the beginning of the next: frames over the end
    of that part are the window's own.

    Windows share frames if they begin a multiple of 10 ms apart. With a hop of 125 ms that is every second
    one: there are windows of two *kinds*, and those of each kind have frames of their own.

    Args:
        rate: of the signal.
        grid: the windows' length and distance.

    Attributes:
        apart: frames of a window that shares nothing.
        shares: whether windows have so many in common that fewer are computed.
        needs_channels: whether a clip changes with all channels' means, as the original has it.
    """

    def __init__(self, rate: Fraction, grid: WindowGrid) -> None:
        self._resampler = r = Resampler.of(rate, c.AUDIO_RATE)
        self._grid = grid
        total = r.length(grid.length)
        ranges = clip_samples(total, c.AUDIO_RATE, c.AUDIO_CLIPS, c.AUDIO_CLIP_SECONDS)
        self._notes = unheard(ranges, total)
        clips, self._index = number_equal(ranges)
        self._pairs = [(clip.start, clip.stop) for clip in clips]
        self._needed = _core.needs_means(self._pairs)
        self.needs_channels = any(self._needed)
        steps, inside = _core.mel_steps(self._pairs, []), inside_of(r, grid.length)
        self._clips = [
            ClipFrames.of(clip, inside, [at for at, _ in each])
            for clip, each in zip(clips, steps, strict=True)
        ]
        self._plans = [clip.plan for clip in self._clips]
        self._phases = {clip.phase for clip in self._clips}
        self.apart = len({(clip.phase, clip.first + i) for clip in self._clips for i in range(clip.count)})
        kinds, new_frames = _kinds(grid.hop, r), float(grid.hop * r.new / (r.orig * HOP))
        self.shares = kinds is not None and kinds * len(self._phases) * new_frames < self.apart
        self._stores: dict[int, _Stores] = {}
        self._computed = 0  # by stores that are gone

    @property
    def computed(self) -> int:
        """Frames computed so far."""
        return self._computed + sum(stores.computed for stores in self._stores.values())

    def restart(self) -> None:
        """A new run of samples."""
        self._computed = self.computed
        self._stores = {}

    def views(self, buffer: SampleBuffer, start: int, end: int) -> Views:
        """The different clips of the window of samples ``[start, end)``; windows come in order."""
        unit = self._resampler.orig * HOP
        frame, kind = divmod((start - self._grid.first) * self._resampler.new, unit)
        if kind not in self._stores:
            self._stores[kind] = _Stores.of(self._resampler, self._phases, start, frame)
        stores = self._stores[kind]
        first, origin = frame - stores.frame, stores.origin
        stores.start_at(first)
        all_steps = self._steps(stores, first, buffer, buffer.view(start, end))
        begin = max(buffer.begin, origin)
        signal, part = buffer.view(begin, buffer.end), (start - origin, end - origin)
        out = np.empty((len(self._clips), 1, c.MEL_BANDS, c.MEL_FRAMES), np.float32)
        for clip, plan, steps, columns in zip(self._clips, self._plans, all_steps, out[:, 0], strict=True):
            store = stores.by_phase[clip.phase]
            store.fill(columns, signal, begin - origin, part, first, plan, steps)
        return Views(out, self._index, self._notes)

    def _steps(self, stores: _Stores, first: int, buffer: SampleBuffer, cut: Array) -> Sequence[Steps]:
        """What earlier clips' means leave inside each clip."""
        if not self.needs_channels:
            return [()] * len(self._clips)
        means = [
            self._mean(clip, stores, first, buffer, cut) if needed else 0.0
            for clip, needed in zip(self._clips, self._needed, strict=True)
        ]
        return _core.mel_steps(self._pairs, means)

    def _mean(self, clip: ClipFrames, stores: _Stores, first: int, buffer: SampleBuffer, cut: Array) -> float:
        at, r = first + clip.first, self._resampler
        parts = range(at + clip.parts.start, at + clip.parts.stop)
        total = stores.sums[clip.phase].total(buffer, stores.origin, parts)
        edges = [_core.resample_sum(cut, r.orig, r.new, MEAN, each.start, each.stop) for each in clip.edges]
        return (total + sum(edges)) / clip.length


@dataclass(frozen=True)
class _Stores:
    """The frames of windows of one kind.

    Attributes:
        origin: the sample where the first of these windows begins.
        frame: the number of the frame with which it begins, from the beginning of the grid.
        by_phase: frames by the place between two of the window's frames where they begin.
        sums: so too.
    """

    origin: int
    frame: int
    by_phase: dict[int, _core.MelStore]
    sums: dict[int, SumStore]

    @classmethod
    def of(cls, resampler: Resampler, phases: Iterable[int], origin: int, frame: int) -> _Stores:
        mel = {phase: mel_store(resampler, phase) for phase in phases}
        return cls(origin, frame, mel, {phase: SumStore(resampler, phase) for phase in phases})

    def start_at(self, frame: int) -> None:
        """Nothing before this frame will be asked for again."""
        for store in self.by_phase.values():
            store.start_at(frame)
        for sums in self.sums.values():
            sums.start_at(frame)

    @property
    def computed(self) -> int:
        return sum(store.computed for store in self.by_phase.values())


def _kinds(hop: Fraction, resampler: Resampler) -> int | None:
    """How many kinds of windows there are, of which none has frames of another; None: too many."""
    ties = hop.denominator % 2 == 0  # starts halfway between samples are rounded to the even one
    unit = resampler.orig * HOP
    for period in range(1, _LONGEST + 1):
        step = period * hop
        if step.denominator == 1 and step * resampler.new % unit == 0 and not (ties and step % 2):
            return len({round(number * hop) * resampler.new % unit for number in range(period)})
    return None
