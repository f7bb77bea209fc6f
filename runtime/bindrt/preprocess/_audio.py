"""Audio: a recording to ``[3, 1, 128, 204]``."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, SourceError
from bindrt.items import Audio, Prepared
from bindrt.limits import Limits
from bindrt.preprocess import constants as c
from bindrt.preprocess import mel
from bindrt.preprocess.clips import clip_times, sample_range
from bindrt.preprocess.numeric import is_number
from bindrt.preprocess.resample import Resampler
from bindrt.sources import is_file_source, open_source
from bindrt.sources.audio import BLOCK, Blocks, Recording, as_float, check_seconds, open_audio

_MIN_RATE, _MAX_RATE = 1, 4_000_000  # Hz
_MAX_CHANNELS = 64
_SLACK_SECONDS = 0.1  # by which a header's length may be wrong before the file counts as truncated
# Clips of recordings up to this length can overlap; only then do they share samples.
_WHOLE_SECONDS = c.AUDIO_CLIPS * c.AUDIO_CLIP_SECONDS + 0.5

Signals = tuple[Array, Array]  # the first channel, and the mean of all channels


def prepare(item: Audio, limits: Limits) -> Prepared:
    """Three clips of 2 s at 16 kHz as log-mel spectra."""
    if is_file_source(item.src):
        if item.rate is not None:
            raise InputError(arrays.describe(item.src), "rate is for waveforms only", "leave it out")
        with open_audio(open_source(item.src, limits), limits) as recording:
            return Prepared(from_recording(recording, limits))
    return Prepared(from_recording(_waveform(item, limits), limits))


def from_recording(recording: Recording, limits: Limits) -> Array:
    """The model's input; memory does not grow with the recording's length."""
    check_rate(recording.rate, recording.name)
    frames = recording.frames
    if frames is None or frames <= 0:
        frames = _count(recording, limits)
    clips, decoded = _clips(recording, frames)
    if decoded < frames:
        if frames - decoded > max(_SLACK_SECONDS * recording.rate, 1):
            seconds = [float(n / recording.rate) for n in (decoded, frames)]
            raise SourceError(
                recording.name,
                f"truncated: {seconds[0]:.2f} of {seconds[1]:.2f} s are there",
                "is it complete?",
            )
        clips, _ = _clips(recording, decoded)
    return np.stack([mel.model_input(clip) for clip in clips])


def _count(recording: Recording, limits: Limits) -> int:
    """The length by decoding everything once."""
    frames = 0
    for start, block in recording.blocks(None):
        frames = start + len(block)
        check_seconds(frames, recording.rate, recording.name, limits)
    return frames


def _clips(recording: Recording, frames: int) -> tuple[list[Array], int]:
    """The first channel of each clip, its mean removed; and the samples that were there."""
    resampler = Resampler.of(recording.rate, c.AUDIO_RATE)
    total = resampler.length(frames)
    ranges = [
        sample_range(start, end, c.AUDIO_RATE, total)
        for start, end in clip_times(total / c.AUDIO_RATE, c.AUDIO_CLIPS, c.AUDIO_CLIP_SECONDS)
    ]
    if mel.frame_count(len(ranges[0])) == 0:
        raise InputError(
            recording.name, f"{total / c.AUDIO_RATE:g} s are too short", "at least 0.025 s are needed"
        )
    whole = total <= _WHOLE_SECONDS * c.AUDIO_RATE
    parts = [range(total)] if whole else ranges
    inputs, decoded = _collect(recording, [resampler.needed(part) for part in parts])
    signals = [_resample(resampler, pair, part) for pair, part in zip(inputs, parts, strict=True)]
    if whole:
        signals = signals * len(ranges)
    offsets = [0 if whole else r.start for r in ranges]
    return [
        _remove_mean(pair, range(r.start - o, r.stop - o))
        for pair, r, o in zip(signals, ranges, offsets, strict=True)
    ], decoded


def _resample(resampler: Resampler, pair: Signals, part: range) -> Signals:
    first = resampler.run(pair[0], part)
    return first, first if pair[1] is pair[0] else resampler.run(pair[1], part)


def _remove_mean(pair: Signals, clip: range) -> Array:
    """Subtracts the clip's mean over all channels, in place.

    In place as the original does: a later clip that overlaps sees the shared part already shifted.
    """
    first, mean_of_channels = pair
    part = slice(clip.start, clip.stop)
    mean = np.float32(mean_of_channels[part].mean(dtype=np.float64))
    first[part] -= mean
    if mean_of_channels is not first:
        mean_of_channels[part] -= mean
    return np.array(first[part])


def _collect(recording: Recording, wanted: Sequence[range]) -> tuple[list[Signals], int]:
    """The samples of each range, zero outside the recording; and how many samples it has."""
    kept: list[Signals] = []
    end = 0
    for start, block in recording.blocks(wanted):
        if not np.isfinite(block).all():
            raise InputError(recording.name, "samples are NaN or infinite", "every sample must be finite")
        end = start + len(block)
        if not kept:
            kept = [_empty(len(r), block.shape[1] == 1) for r in wanted]
        for pair, r in zip(kept, wanted, strict=True):
            low, high = max(start, r.start), min(end, r.stop)
            if low < high:
                _copy(pair, slice(low - r.start, high - r.start), block[low - start : high - start])
    if not kept:
        raise SourceError(recording.name, "the recording has no samples", "")
    return kept, end


def _empty(length: int, mono: bool) -> Signals:
    first = np.zeros(length, np.float32)
    return first, first if mono else np.zeros(length, np.float32)


def _copy(pair: Signals, where: slice, block: Array) -> None:
    pair[0][where] = block[:, 0]
    if pair[1] is not pair[0]:
        pair[1][where] = block.mean(axis=1, dtype=np.float64)


def check_rate(rate: Fraction, name: str) -> None:
    """Raises InputError for rates that no recording has."""
    if not _MIN_RATE <= rate <= _MAX_RATE:
        raise InputError(name, f"the rate is {float(rate):g} Hz", f"it is {_MIN_RATE} to {_MAX_RATE} Hz")


def _waveform(item: Audio, limits: Limits) -> Recording:
    name = arrays.describe(item.src)
    rate = _rate_of(item.rate, name)
    samples = arrays.to_numpy(item.src, name)
    arrays.require_nonempty(samples, name)
    allowed = (np.float16, np.float32, np.float64, np.uint8, np.int16, np.int32)
    arrays.require_dtype(
        samples, allowed, name, "samples are floats (full scale -1..1), int16, int32 or uint8"
    )
    if samples.ndim not in (1, 2):
        raise InputError(name, "this is not the shape of a waveform", "pass [N] or [channels, N]")
    samples = samples.reshape(-1, samples.shape[-1])
    if samples.shape[0] > _MAX_CHANNELS:
        raise InputError(name, f"{samples.shape[0]} channels", "this looks like [N, channels]: transpose it")
    check_seconds(samples.shape[1], rate, name, limits)

    def blocks(wanted: Sequence[range] | None) -> Blocks:
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
