"""A window's clips from frames that windows share, and the few that are a window's own."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bindrt import _core
from bindrt.modalities.audio import unheard
from bindrt.modalities.modality import Views, number_equal
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.clips import clip_samples
from bindrt.modalities.steps.resample import Resampler
from bindrt.streams.feeds.grid import WindowGrid
from bindrt.streams.feeds.mel_store import HOP, MelStore, padding
from bindrt.streams.feeds.samples import SampleBuffer


class MelWindows:
    """The clips of windows of one length.

    A window is silent outside of itself: where a resampled sample reaches over its edge, the frame is the
    window's own. All other frames are those of the signal, the same in every window.

    Args:
        rate: of the signal.
        grid: the windows' length and distance.

    Attributes:
        shares: whether the frames of a window are also frames of the next one.
        needs_channels: whether a clip changes with all channels' means, as the original has it.
    """

    def __init__(self, rate: Fraction, grid: WindowGrid) -> None:
        self._resampler = r = Resampler.of(rate, c.AUDIO_RATE)
        self._grid = grid
        total = r.length(grid.length)
        ranges = clip_samples(total, c.AUDIO_RATE, c.AUDIO_CLIPS, c.AUDIO_CLIP_SECONDS)
        self._notes = unheard(ranges, total)
        clips, self._index = number_equal(ranges)
        inside = _inside(r, grid.length)
        self._clips = [_ClipFrames.of(clip, inside) for clip in clips]
        self.needs_channels = any(_core.needs_means([(clip.start, clip.stop) for clip in clips]))
        on_grid = grid.hop.denominator == 1 and (grid.hop * r.new / r.orig) % HOP == 0
        self.shares = on_grid and not self.needs_channels and all(clip.start % HOP == 0 for clip in clips)
        self._store = MelStore(r)

    @property
    def computed(self) -> int:
        """Frames computed so far."""
        return self._store.computed

    def restart(self) -> None:
        """A new run of samples."""
        self._store.restart()

    def views(self, buffer: SampleBuffer, start: int, end: int) -> Views:
        """The different clips of the window of samples ``[start, end)``; windows come in order."""
        origin, r = self._grid.first, self._resampler
        first = (start - origin) * r.new // r.orig // HOP
        cut = buffer.view(start, end)
        out = np.full((len(self._clips), 1, c.MEL_BANDS, c.MEL_FRAMES), padding(), np.float32)
        self._store.start_at(first)
        for clip, columns in zip(self._clips, out[:, 0], strict=True):
            shared, at = clip.shared, first + clip.first
            if shared:
                self._store.extend(buffer, origin, at + shared.stop)
                columns[:, shared.start : shared.stop] = self._store.frames(
                    at + shared.start, at + shared.stop
                )
            for own in clip.own:
                frames = self._store.of_cut(cut, clip.first + own.start, clip.first + own.stop)
                columns[:, own.start : own.stop] = frames
        return Views(out, self._index, self._notes)


@dataclass(frozen=True)
class _ClipFrames:
    """Which frames of a clip are the signal's and which the window's own.

    Attributes:
        first: the frame of the window with which the clip begins.
    """

    first: int
    shared: range
    own: list[range]

    @classmethod
    def of(cls, clip: range, inside: range) -> _ClipFrames:
        """``inside`` are the samples of the window that do not depend on where it is cut."""
        count = min(1 + (len(clip) - c.MEL_WINDOW) // HOP, c.MEL_FRAMES)
        first = max(-((clip.start - inside.start) // HOP), 0)
        stop = min((inside.stop - clip.start - c.MEL_WINDOW) // HOP + 1, count)
        shared = range(first, max(stop, first)) if first < count else range(0)
        own = [range(0, shared.start), range(shared.stop, count)]
        return cls(clip.start // HOP, shared, [frames for frames in own if frames])


def _inside(resampler: Resampler, samples: int) -> range:
    """The samples at 16 kHz of a window for which the filter does not reach over the window's edges."""
    orig, new = resampler.orig, resampler.new
    if orig == new:
        return range(samples)
    half = resampler.half
    return range(-(-half * new // orig), max(-(-(samples - half) * new // orig), 0))
