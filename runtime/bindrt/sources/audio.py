"""Sound: libsndfile reads WAV, FLAC, OGG and MP3; FFmpeg reads AAC and the sound tracks of videos."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import LimitError, SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.container import (
    StreamEnds,
    check_duration,
    needs_all_streams,
    open_container,
    video_stream,
)
from bindrt.sources.formats import SOUND, TRACKS, Format, sniff, unfit
from bindrt.sources.opening import Opened, decoding, library

BLOCK = 1 << 16  # samples of each channel that are read at once
_AT_ONCE = 1 << 20  # a recording of at most so many samples, of all channels, is read in one piece
_NO_SIZE = (0, 0x7FFFFFFF, 0x80000000)  # written by programs that stream a WAV, as are sizes near 2^32
_INTEGERS = {"PCM_S8": "int16", "PCM_U8": "int16", "PCM_16": "int16", "PCM_24": "int32", "PCM_32": "int32"}

Blocks = Iterator[tuple[int, Array]]


@dataclass(frozen=True)
class Recording:
    """A recording that can be read from its beginning any number of times.

    Attributes:
        name: its name in errors.
        rate: samples per second.
        frames: its length in samples of one channel; None if only decoding tells.
        blocks: takes the ranges of samples that are wanted (None: all) and yields ``(start, samples
            [n, channels])`` in order: float32, int16 or int32. Samples that are not wanted may be left out.
    """

    name: str
    rate: Fraction
    frames: int | None
    blocks: Callable[[Sequence[range] | None], Blocks]


@contextlib.contextmanager
def open_audio(opened: Opened, limits: Limits = DEFAULT_LIMITS) -> Iterator[Recording]:
    """Opens a sound file, or the sound track of a video.

    Raises:
        SourceError: the file is of another format, damaged or truncated, or has no sound track.
        LimitError: it is longer than ``limits.max_seconds``.
    """
    file_format = sniff(opened)
    if file_format.family == "container":
        yield _track(opened, file_format, limits)
    elif file_format.family == "audio":
        if file_format.name == "WAV":
            _check_riff(opened)
        if file_format.name == "OGG" and _has_video(opened, file_format):
            yield _track(opened, file_format, limits)
            return
        with _sound_file(opened, file_format, limits) as recording:
            yield recording
    else:
        raise unfit(opened, file_format, "a recording", SOUND, TRACKS)


def check_seconds(frames: int, rate: Fraction | float, name: str, limits: Limits) -> None:
    """Raises LimitError if ``frames`` at a ``rate`` per second last longer than ``limits.max_seconds``."""
    if frames > limits.max_seconds * float(rate):
        raise LimitError(
            name, f"longer than the limit of {limits.max_seconds:g} s", "raise Limits.max_seconds, or cut it"
        )


@contextlib.contextmanager
def _sound_file(opened: Opened, file_format: Format, limits: Limits) -> Iterator[Recording]:
    soundfile = library("soundfile")
    with decoding(opened.name, f"{file_format.name} file", "is it complete?"):
        file = soundfile.SoundFile(opened.target)
    with file:
        check_seconds(file.frames, file.samplerate, opened.name, limits)
        yield Recording(
            opened.name,
            Fraction(file.samplerate),
            file.frames,
            lambda wanted: _sound_file_blocks(file, opened.name, file_format, wanted),
        )


def _sound_file_blocks(file: Any, name: str, file_format: Format, wanted: Sequence[range] | None) -> Blocks:
    """Reads in order. Skips what is not wanted if seeking is exact and the samples cannot be NaN."""
    dtype = _INTEGERS.get(file.subtype, "float32")  # integers are read as they are, which is much faster
    can_skip = wanted is not None and file_format.name == "WAV" and file.subtype in _INTEGERS
    whole = file.frames * file.channels <= _AT_ONCE
    at = 0
    with decoding(name, f"{file_format.name} file", "is it complete?"):
        if file.seekable():  # GSM in WAV is not
            file.seek(0)
        while True:
            count = max(file.frames, BLOCK) if whole else BLOCK
            if can_skip and wanted is not None and not whole:
                at, count = _next_read(file, at, wanted)
            block = file.read(count, dtype=dtype, always_2d=True)
            if len(block) == 0:
                return
            yield at, block
            at += len(block)


def _next_read(file: Any, at: int, wanted: Sequence[range]) -> tuple[int, int]:
    """Seeks to the next sample that is wanted; returns its position and how many samples to read."""
    ahead = [r for r in wanted if r.stop > at]
    start = max(min((r.start for r in ahead), default=at), at)
    if start > at:
        file.seek(start)
    stop = min((r.stop for r in ahead if r.start <= start), default=start + BLOCK)
    return start, stop - start if (stop - start) * file.channels <= _AT_ONCE else BLOCK


def _has_video(opened: Opened, file_format: Format) -> bool:
    # A file that FFmpeg refuses is an error: libsndfile 1.2.2 would find no sample in it either, and it
    # leaks about 6 kB for each file that ends within the Vorbis headers.
    with open_container(opened, file_format) as media:
        return video_stream(media) is not None


def _track(opened: Opened, file_format: Format, limits: Limits) -> Recording:
    """The first sound track; its length is known only after decoding."""
    with open_container(opened, file_format) as media, decoding(opened.name, "sound track"):
        if not media.streams.audio:
            raise SourceError(opened.name, "the file has no sound track", "pass a file that has one")
        stream = media.streams.best("audio") or media.streams.audio[0]
        index, rate = stream.index, int(stream.rate or 0)
        if stream.duration is not None and stream.time_base is not None:
            check_seconds(int(stream.duration * stream.time_base * rate), rate, opened.name, limits)
    if rate <= 0:
        raise SourceError(opened.name, "the sound track has no sample rate")

    def blocks(wanted: Sequence[range] | None) -> Blocks:
        return _track_blocks(opened, file_format, index, rate)

    return Recording(opened.name, Fraction(rate), None, blocks)


def _track_blocks(opened: Opened, file_format: Format, index: int, rate: int) -> Blocks:
    import av

    at = 0
    with (
        open_container(opened, file_format) as media,
        decoding(opened.name, "sound track", "is it complete?"),
    ):
        to_float = av.AudioResampler(format="fltp", rate=rate)
        for frame in _with_end(_track_frames(media, file_format, index, opened.name)):
            for part in to_float.resample(frame):
                block = part.to_ndarray().T
                yield at, block
                at += len(block)


def _track_frames(media: Any, file_format: Format, index: int, name: str) -> Iterator[Any]:
    """Decodes to the end; raises SourceError if that is before the end that the container declares."""
    ends = StreamEnds()
    for packet in media.demux() if needs_all_streams(file_format) else media.demux(media.streams[index]):
        if packet.size:
            ends.add(packet)
        if packet.stream_index == index:
            yield from packet.decode()
    check_duration(media, file_format, ends, name)


def _with_end(frames: Iterator[Any]) -> Iterator[Any]:
    """The frames, then None, which flushes the converter; nothing if there are no frames."""
    some = False
    for frame in frames:
        some = True
        yield frame
    if some:
        yield None


def _check_riff(opened: Opened) -> None:
    """Raises SourceError if a WAV is shorter than its header says; libsndfile does not check that."""
    with opened.binary() as stream, decoding(opened.name, "WAV file"):
        missing = _riff_missing(stream, opened.size)
    if missing > 1:
        raise SourceError(
            opened.name, f"the WAV is truncated: {missing} bytes are missing", "is it complete?"
        )


def _riff_missing(stream: BinaryIO, size: int) -> int:
    """How many bytes of the data chunk are missing in the file."""
    head = stream.read(12)
    order = ">" if head[:4] == b"RIFX" else "<"
    at, long = 12, None  # RF64 has the data's length in its first chunk, ds64
    for _ in range(1000):
        stream.seek(at)
        chunk = stream.read(8)
        if len(chunk) < 8:
            return 0
        (length,) = struct.unpack(order + "I", chunk[4:])
        if chunk[:4] == b"ds64" and len(sizes := stream.read(16)) == 16:
            long = int.from_bytes(sizes[8:], "little")
        if chunk[:4] == b"data":
            if long is not None and length == 0xFFFFFFFF:
                return max(at + 8 + long - size, 0)
            unknown = length in _NO_SIZE or length >= 0xFFFFF000
            return 0 if unknown else max(at + 8 + length - size, 0)
        at += 8 + length + length % 2
    return 0


def as_float(samples: Array) -> Array:
    """Samples as float32; integers are scaled so that their full range is -1 to 1.

    >>> as_float(np.int16([-32768, 0, 16384])).tolist()
    [-1.0, 0.0, 0.5]
    """
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    if samples.dtype.kind == "u":
        return (samples.astype(np.float32) - 128) / 128
    return (samples.astype(np.float64) / -float(np.iinfo(samples.dtype).min)).astype(np.float32)


def is_plain(samples: Array) -> bool:
    """Whether the kernels can read these samples without a conversion."""
    return samples.dtype.isnative and samples.dtype in (np.float32, np.int16, np.int32)
