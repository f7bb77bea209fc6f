"""Cuts a part out of a recording into a file of its own: MP4 of a video, WAV of a sound, npz of imu samples.

The part is decoded and written again, so that it is exactly the part: a copy of packets could begin only at a
key frame.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import InputError, SourceError, cannot_write
from bindrt.limits import Limits
from bindrt.sources.audio import open_audio
from bindrt.sources.container import Refused, open_container, packets_of, video_stream
from bindrt.sources.formats import Format, sniff
from bindrt.sources.opening import Opened, decoding, library
from bindrt.sources.packets import has_shown_order
from bindrt.sources.recording import as_float, in_order
from bindrt.sources.video import checked_rate, video_format, video_to_decode

_TICKS = 90_000  # a second, in which a clip's frames are timed
_ROUNDING = 1e-6  # of a frame
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_SOUND = {"int16": "PCM_16", "int32": "PCM_32"}  # as WAV has them; floats stay floats


def has_video(opened: Opened, limits: Limits) -> bool:
    """Whether a recording has pictures that play."""
    file_format = sniff(opened)
    if file_format.family != "container" and file_format.name != "OGG":
        return file_format.family == "image"
    with open_container(opened, file_format, limits) as media:
        return video_stream(media) is not None


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Another name to write to, which becomes ``path`` if all goes well.

    Raises:
        Error: the system refuses to write.
    """
    made = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield made
        os.replace(made, path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            made.unlink()


def write_sound(opened: Opened, start: float, end: float, path: Path, limits: Limits) -> None:
    """Writes the samples from ``start`` to ``end``, in seconds, as a WAV of the same numbers.

    Raises:
        SourceError: the recording cannot be read.
        InputError: it ends before ``start``.
    """
    soundfile = library("soundfile")
    with open_audio(opened, limits) as recording, _beside(path) as made:
        out: Any = None
        try:
            for _, block in in_order(recording, limits, start, end):
                if out is None:
                    kind = _SOUND.get(str(block.dtype), "FLOAT")
                    rate, channels = round(recording.rate), block.shape[1]
                    out = soundfile.SoundFile(made, "w", rate, channels, kind, format="WAV")
                out.write(block)
        finally:
            if out is not None:
                out.close()


def write_video(opened: Opened, start: float, end: float, path: Path, limits: Limits) -> None:
    """Writes the frames from ``start`` to before ``end``, in seconds, and the sound beside them, as MP4.

    Raises:
        SourceError: the video cannot be read, or has no frame there.
    """
    file_format = video_format(opened)
    with (
        open_container(opened, file_format, limits) as media,
        _beside(path) as made,
        decoding(opened.name, "video"),
        library("av").open(str(made), "w", format="mp4") as out,
    ):
        stream = video_to_decode(media, opened)
        rate = checked_rate(stream, opened, file_format, limits)
        pictures = _Pictures(out, rate)
        heard = _sound_frames(opened, limits, start, end) if media.streams.audio else iter(())
        sound: _Sound | None = None
        for time, frame in _frames(media, stream, file_format, rate, start, end):
            if pictures.stream is None:
                pictures.open(frame)
                sound = _Sound(out, heard)
            pictures.write(frame, time - start)
        if pictures.stream is None:
            raise SourceError(opened.name, f"no frame is shown from {start:g} to {end:g} s")
        pictures.end()
        if sound is not None:
            sound.write()


def _frames(
    media: Any, stream: Any, file_format: Format, rate: float, start: float, end: float
) -> Iterator[tuple[float, Any]]:
    """The decoder's frames of a part and their times; it begins at the key frame before."""
    tick, origin = float(stream.time_base or 0), stream.start_time
    timed = bool(tick) and origin is not None and has_shown_order(stream, False, file_format)
    if timed and start > 0:
        with contextlib.suppress(library("av").FFmpegError):
            media.seek(origin + int(start / tick), stream=stream)
    slack = _ROUNDING / rate
    for count, frame in enumerate(_decoded(media, stream)):
        time = (frame.pts - origin) * tick if timed and frame.pts is not None else count / rate
        if time >= end - slack:
            return
        if time >= start - slack:
            yield time, frame


def _decoded(media: Any, stream: Any) -> Iterator[Any]:
    """What can be decoded, from where the container is."""
    av = library("av")
    for packet in packets_of(media, stream, refused=Refused()):
        found = []
        with contextlib.suppress(av.FFmpegError):
            found = stream.codec_context.decode(packet if packet.size else None)
        yield from found


class _Pictures:
    """The video stream of a clip; opened with its first frame."""

    def __init__(self, out: Any, rate: float) -> None:
        self._out, self._rate = out, Fraction(rate).limit_denominator(1001)
        self.stream: Any = None
        self._last = -1

    def open(self, frame: Any) -> None:
        self.stream = self._out.add_stream("libx264", rate=self._rate)
        self.stream.width, self.stream.height = frame.width // 2 * 2 or 2, frame.height // 2 * 2 or 2
        self.stream.pix_fmt = "yuv420p"
        self.stream.options = {"crf": "18", "preset": "veryfast"}
        self.stream.codec_context.time_base = Fraction(1, _TICKS)
        if turned := getattr(frame, "rotation", 0):
            self.stream.set_display_rotation(turned)

    def write(self, frame: Any, seconds: float) -> None:
        size = {"width": self.stream.width, "height": self.stream.height}
        plain = frame.reformat(format="yuv420p", **size)
        self._last = max(round(max(seconds, 0.0) * _TICKS), self._last + 1)
        plain.pts, plain.time_base, plain.pict_type = self._last, Fraction(1, _TICKS), 0
        self._out.mux(self.stream.encode(plain))

    def end(self) -> None:
        self._out.mux(self.stream.encode(None))


class _Sound:
    """The sound of a clip, if the recording has any there."""

    def __init__(self, out: Any, frames: Iterator[Any]) -> None:
        self._out, self._frames = out, frames
        self._first = next(frames, None)
        self._stream: Any = None
        if self._first is not None:
            rate = self._first.sample_rate
            self._stream = out.add_stream("aac", rate=rate if rate in _AAC_RATES else 48000)
            self._stream.layout = "stereo"

    def write(self) -> None:
        if self._first is None:
            return
        resampler = library("av").AudioResampler("fltp", "stereo", self._stream.rate)
        for frame in itertools.chain([self._first], self._frames, [None]):
            for piece in resampler.resample(frame):
                self._out.mux(self._stream.encode(piece))
        self._out.mux(self._stream.encode(None))


def _sound_frames(opened: Opened, limits: Limits, start: float, end: float) -> Iterator[Any]:
    """The samples of a part of a sound track for an encoder; none if it ends before."""
    av = library("av")
    at = 0
    with open_audio(opened, limits) as recording, contextlib.suppress(InputError):
        rate = round(recording.rate)
        for _, block in in_order(recording, limits, start, end):
            samples = as_float(block).T
            layout = {1: "mono", 2: "stereo"}.get(len(samples), f"{len(samples)} channels")
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
            at += samples.shape[1]
            yield frame


def write_samples(samples: Array, times: Array, path: Path) -> None:
    """Writes imu samples ``[6, N]`` and their times in seconds as a ``.npz`` that is an imu item."""
    with _beside(path) as made, open(made, "wb") as file:
        np.savez(file, allow_pickle=False, samples=samples, t=times)
