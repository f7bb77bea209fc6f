"""Audio: a recording to ``[3, 1, 128, 204]``."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from bindrt import _core, arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, SourceError
from bindrt.items import ARRAYS_ONLY, Source
from bindrt.limits import Limits
from bindrt.modalities.modality import Modality, Views, number_equal
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.clips import clip_samples, outside
from bindrt.modalities.steps.output_rows import Reserve, rows_for
from bindrt.modalities.steps.resample import Resampler
from bindrt.modalities.steps.span import check_span
from bindrt.notes import Notes
from bindrt.numeric import is_number
from bindrt.sources import is_file_source, open_source
from bindrt.sources.audio import open_audio
from bindrt.sources.recording import (
    BLOCK,
    Blocks,
    Recording,
    as_float,
    check_seconds,
    counted,
    is_plain,
    segment,
)


@dataclass(frozen=True, eq=False)
class Audio:
    """One recording: a file (also a video's sound track), or a waveform with its ``rate``.

    Attributes:
        src: a path, bytes, file object, or a waveform ``[N]`` or ``[channels, N]``: floats
            (full scale is -1..1) or int16/int32 samples.
        rate: samples per second; required for waveforms, refused for files.
        start: the second at which to begin; None: at the beginning.
        end: the second at which to end; None, or one behind the recording's end: there.
        strict: refuse a file with damaged packets. Else what can be decoded is, and the note
            ``lost_packets`` counts the rest.

    >>> item = bindrt.Audio(np.zeros(48000), rate=16000, start=1.0, end=2.5)
    >>> bindrt.preprocess.audio(item).shape
    (3, 1, 128, 204)
    """

    src: Source
    rate: float | None = field(default=None, metadata={ARRAYS_ONLY: True})
    start: float | None = None
    end: float | None = None
    strict: bool = False


def prepare(item: Audio, limits: Limits, reserve: Reserve | None = None) -> Views:
    """Three clips of 2 s at 16 kHz as log-mel spectra; clips of the same samples are made once."""
    with open_recording(item, limits) as recording:
        return _views(recording, item, limits, reserve)


@contextlib.contextmanager
def open_recording(item: Audio, limits: Limits, cuts: list[SourceError] | None = None) -> Iterator[Recording]:
    """The whole recording of an item, whose ``start`` and ``end`` are checked but not applied.

    Args:
        cuts: takes the errors that show a cut, if the file is read up to it.

    Raises:
        InputError: it is no recording, or has an option that it cannot have.
    """
    name = arrays.item_name(item.src)
    check_span(item.start, item.end, name)
    if not is_file_source(item.src):
        yield _waveform(item, limits)
        return
    if item.rate is not None:
        raise InputError(name, "rate is for waveforms only", "leave it out")
    opened = dataclasses.replace(open_source(item.src, limits), cuts=cuts)
    with open_audio(opened, limits) as recording:
        yield recording


def _views(recording: Recording, item: Audio, limits: Limits, reserve: Reserve | None) -> Views:
    if item.start is not None or item.end is not None:
        check_rate(recording.rate, recording.name)
        if not recording.frames or recording.frames < 0:
            recording = counted(recording, limits, item.end)
        recording = segment(recording, item.start, item.end)
    views = from_recording(recording, limits, reserve)
    lost = recording.damage.lost
    if not lost:
        return views
    if item.strict:
        raise damaged(recording)
    return dataclasses.replace(views, notes={**views.notes, "lost_packets": lost})


def damaged(recording: Recording) -> SourceError:
    """The error for a recording that has lost packets, where ``strict`` refuses it."""
    lost = recording.damage.lost
    return SourceError(recording.name, f"{lost} damaged packets", "leave strict out to embed the rest")


def from_recording(recording: Recording, limits: Limits, reserve: Reserve | None = None) -> Views:
    """The clips of a recording. Memory does not grow with its length."""
    check_rate(recording.rate, recording.name)
    if not recording.frames or recording.frames < 0:
        recording = counted(recording, limits)
    frames = recording.frames or 0
    views, decoded = _clips(recording, frames, reserve)
    if decoded < frames:
        recording.check_whole(decoded, frames)
        views, _ = _clips(recording, decoded, reserve)
    recording.check_whole(decoded, recording.promised)
    return views


def _clips(recording: Recording, frames: int, reserve: Reserve | None) -> tuple[Views, int]:
    """The clips of a recording of ``frames`` samples, and the number of samples that were there."""
    resampler = Resampler.of(recording.rate, c.AUDIO_RATE)
    total = resampler.length(frames)
    ranges = clip_samples(total, c.AUDIO_RATE, c.AUDIO_CLIPS, c.AUDIO_CLIP_SECONDS)
    if len(ranges[0]) < c.MEL_WINDOW:
        raise InputError(
            recording.name, f"{total / c.AUDIO_RATE:g} s are too short", "at least 0.025 s are needed"
        )
    ranges, index = number_equal(ranges)
    whole = total <= c.AUDIO_WHOLE_SECONDS * c.AUDIO_RATE
    wanted = [range(total)] if whole else ranges
    parts, decoded = _collect(recording, [resampler.needed(r) for r in wanted])
    out = rows_for(reserve, len(ranges), (1, c.MEL_BANDS, c.MEL_FRAMES))
    if whole:
        clips = [(r.start, r.stop) for r in ranges]
        means = [
            parts[0].sum(resampler, r) / len(r) if needed else 0.0
            for r, needed in zip(ranges, _core.needs_means(clips), strict=True)
        ]
        _core.mel_clips(parts[0].resampled(resampler, wanted[0]), clips, means, out=out)
    else:
        for i, (part, r) in enumerate(zip(parts, ranges, strict=True)):
            _core.mel_clips(part.resampled(resampler, r), [(0, len(r))], [], out=out[i : i + 1])
    return Views(out, index, unheard(ranges, total)), decoded


def unheard(clips: Sequence[range], total: int) -> Notes:
    """A note of the seconds that lie in no clip, of a recording of ``total`` samples at 16 kHz."""
    seconds = outside(clips, total) / c.AUDIO_RATE
    return {"seconds_unheard": round(seconds, 2)} if seconds >= 0.01 else {}


class _Part:
    """A range of a recording: its first channel, and the mean of all."""

    def __init__(self, wanted: range) -> None:
        self._range = range(max(wanted.start, 0), max(wanted.stop, 0))
        self._samples: Array | None = None  # [channels, n], from sample _begin on
        self._begin = self._range.start
        self._mean = -1  # the channel that holds the mean; -1 computes it

    def take(self, start: int, block: Array, last: bool) -> None:
        """Keeps what it needs of ``block``, ``[n, channels]``: a view where one block holds it all."""
        low, high = max(start, self._range.start), min(start + len(block), self._range.stop)
        if low >= high:
            return
        samples = block[low - start : high - start].T
        if low == self._range.start and (last or high == self._range.stop):
            self._samples = samples
            return
        if self._samples is None:
            self._mean = min(samples.shape[0], 2) - 1
            self._samples = np.zeros((self._mean + 1, len(self._range)), np.float32)
        where = slice(low - self._range.start, high - self._range.start)
        _core.resample(samples, 1, 1, channel=0, begin=0, out=self._samples[0, where])
        if self._mean:
            _core.resample(samples, 1, 1, channel=-1, out=self._samples[1, where])

    def resampled(self, resampler: Resampler, wanted: range) -> Array:
        """The first channel, resampled."""
        return _core.resample(
            self._given(),
            resampler.orig,
            resampler.new,
            channel=0,
            start=wanted.start,
            stop=wanted.stop,
            begin=self._begin,
        )

    def sum(self, resampler: Resampler, wanted: range) -> float:
        """The sum of the mean of all channels, resampled."""
        at = (self._mean, wanted.start, wanted.stop, self._begin)
        return _core.resample_sum(self._given(), resampler.orig, resampler.new, *at)

    def _given(self) -> Array:
        return np.zeros((1, 0), np.float32) if self._samples is None else self._samples


def _collect(recording: Recording, wanted: Sequence[range]) -> tuple[list[_Part], int]:
    """The samples of each range; and how many samples the recording has."""
    parts = [_Part(r) for r in wanted]
    end = 0
    for start, block in recording.blocks(wanted):
        check_block(block, recording.name)
        end = start + len(block)
        for part in parts:
            part.take(start, block, end == recording.frames)
    if end == 0:
        raise SourceError(recording.name, "the recording has no samples", "")
    return parts, end


def check_block(block: Array, name: str) -> None:
    """Raises InputError for samples ``[n, channels]`` that are not finite, or beyond any recording."""
    if block.dtype.kind != "f":
        return
    peak = _core.peak(block.T)
    if not np.isfinite(peak):
        raise InputError(name, "samples are NaN or infinite", "every sample must be finite")
    if peak > c.AUDIO_MOST:
        raise InputError(name, f"a sample is {peak:g}", "full scale is -1 to 1; 2^50 is the most")


def check_rate(rate: Fraction, name: str) -> None:
    """Raises InputError for rates that no recording has."""
    least, most = c.AUDIO_RATES
    if not least <= rate <= most:
        raise InputError(name, f"the rate is {float(rate):g} Hz", f"it is {least} to {most} Hz")


def _waveform(item: Audio, limits: Limits) -> Recording:
    name = arrays.item_name(item.src)
    rate = _rate_of(item.rate, name)
    samples = arrays.to_numpy(item.src, name, lists=True)
    arrays.require_nonempty(samples, name)
    allowed = (np.float16, np.float32, np.float64, np.uint8, np.int16, np.int32)
    arrays.require_dtype(
        samples, allowed, name, "samples are floats (full scale -1..1), int16, int32 or uint8"
    )
    if samples.ndim not in (1, 2):
        raise InputError(name, "this is not the shape of a waveform", "pass [N] or [channels, N]")
    samples = samples.reshape(-1, samples.shape[-1])
    if samples.shape[0] > c.AUDIO_CHANNELS:
        raise InputError(name, f"{samples.shape[0]} channels", "this looks like [N, channels]: transpose it")
    check_seconds(samples.shape[1], rate, name, limits)

    def blocks(wanted: Sequence[range] | None) -> Blocks:
        if is_plain(samples):
            yield 0, samples.T
            return
        for start in range(0, samples.shape[1], BLOCK):
            yield start, as_float(samples[:, start : start + BLOCK]).T

    return Recording(name, rate, samples.shape[1], blocks)


def _rate_of(rate: Any, name: str) -> Fraction:
    if rate is None:
        raise InputError(name, "a waveform needs its rate", "pass bindrt.Audio(waveform, rate=...)")
    if not is_number(rate):
        raise InputError(name, f"the rate is {rate!r}", "it is the number of samples per second")
    exact = Fraction(float(rate)).limit_denominator(1000)
    check_rate(exact, name)
    return exact


AUDIO = Modality(
    name="audio",
    encoder="audio",
    view=(1, c.MEL_BANDS, c.MEL_FRAMES),
    prepare=prepare,
    original=True,
    description={
        **c.of_core("mel"),
        **c.of_core("resample", width="resample_width", rolloff="resample_rolloff"),
        "clips": c.AUDIO_CLIPS,
        "clip_seconds": c.AUDIO_CLIP_SECONDS,
    },
    wrapper=Audio,
    views=c.AUDIO_CLIPS,
    recognizes=lambda content: content.streams == {"audio"},
    bare_array=("a bare waveform has no rate", "pass bindrt.Audio(waveform, rate=...)"),
)
