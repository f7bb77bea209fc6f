"""Sound tracks and sound files that FFmpeg reads, through PyAV."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.container import (
    Refused,
    StreamEnds,
    check_duration,
    needs_all_streams,
    open_container,
    packets_of,
)
from bindrt.sources.formats import Format
from bindrt.sources.handover import hand_over_ffmpeg
from bindrt.sources.opening import IF_CUT, Opened, decoding, library
from bindrt.sources.recording import BLOCK, Blocks, Damage, Recording, check_seconds
from bindrt.wanted import require_wanted

#: FFmpeg's names of the formats that libsndfile reads otherwise.
DEMUXERS = {
    "WAV": "wav",
    "FLAC": "flac",
    "OGG": "ogg",
    "AIFF": "aiff",
    "AU": "au",
    "CAF": "caf",
    "W64": "w64",
    "VOC": "voc",
    "MP3": "mp3",
    "SVX": "iff",
}
#: Formats whose header says how long a stream is; for others FFmpeg guesses it from the bit rate.
_PROMISING = {"mov", "flac", "caf", "aiff", "tta", "wv", "ape", "tak", "mpc8", "wav", "w64", "avi"}
_COUNTED_APART = ("adpcm", "gsm")  # codecs of which an AVI counts blocks, and FFmpeg takes them for samples
_CHECKED = ("wavpack", "tta", "ape", "tak")  # codecs whose wrong check sums FFmpeg only tells when it must
_BARE = ("mlp", "truehd", "sbc")  # all of the file are frames; FFmpeg says nothing of those that it skips
_AT_LEAST = 1 << 13  # samples of each channel that are handed out together
_AT_ONCE = BLOCK - (1 << 12)  # the same, decoded without the interpreter: a packet more is at most a block
_SLACK = 0.05  # the share by which a container's promise may be too long


def open_track(
    opened: Opened, file_format: Format, limits: Limits, damage: Damage | None = None
) -> Recording:
    """The first sound track; its length is known only after decoding.

    Raises:
        SourceError: there is none, or it is damaged from the beginning.
        LimitError: its header says that it is longer than ``limits.max_seconds``.
    """
    promised: int | None = None
    file_format = dataclasses.replace(file_format, name=DEMUXERS.get(file_format.name, file_format.name))
    with open_container(opened, file_format, limits) as media, decoding(opened.name, "sound track"):
        if not media.streams.audio:
            raise SourceError(opened.name, "the file has no sound track", "pass a file that has one")
        stream = media.streams.best("audio") or media.streams.audio[0]
        index, rate = stream.index, int(stream.rate or 0)
        if stream.duration and stream.time_base and _promises(media, stream):
            promised = int(stream.duration * stream.time_base * rate)
            check_seconds(promised, rate, opened.name, limits)
    if rate <= 0:
        raise SourceError(opened.name, "the sound track has no sample rate")
    damage = Damage() if damage is None else damage

    def blocks(wanted: Sequence[range] | None) -> Blocks:
        at, track = 0, _ordinary_track(opened, file_format, limits, index, rate)
        while track is not None and track.has_more:
            require_wanted()
            with decoding(opened.name, "sound track", IF_CUT):
                block = track.read(_AT_ONCE).T
            if len(block):
                yield at, block
                at += len(block)
        if track is not None and track.is_whole:
            return
        for start, block in _blocks(opened, file_format, limits, index, rate, damage):
            if start + len(block) > at:
                yield max(start, at), block[max(at - start, 0) :]

    slack = max(0.5, _SLACK * (promised or 0) / rate)
    return Recording(opened.name, Fraction(rate), None, blocks, promised, slack, damage)


def _ordinary_track(
    opened: Opened, file_format: Format, limits: Limits, index: int, rate: int
) -> _core.OrdinaryTrack | None:
    """The track, to be decoded without the interpreter's lock up to what is unusual; None: all of it is."""
    if file_format.name != "mov" or opened.path is None or not hand_over_ffmpeg():
        return None
    return _core.OrdinaryTrack.open(os.fsencode(opened.path), index, rate, limits.max_packets)


def _promises(media: Any, stream: Any) -> bool:
    """Whether the header says how long the track is."""
    container = media.format.name.split(",")[0]
    if container == "avi" and stream.codec_context.name.startswith(_COUNTED_APART):
        return False
    return container in _PROMISING


def _blocks(
    opened: Opened, file_format: Format, limits: Limits, index: int, rate: int, damage: Damage
) -> Blocks:
    at = 0
    with (
        open_container(opened, file_format, limits) as media,
        decoding(opened.name, "sound track", IF_CUT),
    ):
        for block in _together(_Resampled(rate).frames(_frames(media, file_format, index, opened, damage))):
            yield at, block
            at += len(block)


def _together(frames: Iterator[Any]) -> Iterator[Array]:
    """Blocks ``[n, channels]`` of several frames each; a packet has some 1000 samples.

    An error comes after the samples before it.
    """
    kept: list[Array] = []
    held, failure = 0, None
    try:
        for frame in frames:
            kept.append(frame.to_ndarray())
            held += frame.samples
            if held >= _AT_LEAST:
                yield np.concatenate(kept, axis=1).T
                kept, held = [], 0
    except Exception as error:
        failure = error
    if kept:
        yield np.concatenate(kept, axis=1).T
    if failure is not None:
        raise failure


class _Resampled:
    """Float frames of one rate and layout, those of the first, also if the track changes within."""

    def __init__(self, rate: int) -> None:
        self._rate, self._layout = rate, ""
        self._kind: tuple[Any, ...] = ()
        self._resampler: Any = None

    def frames(self, frames: Iterator[Any]) -> Iterator[Any]:
        for frame in frames:
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            if kind != self._kind:
                yield from self._end()
                self._layout = self._layout or frame.layout.name
                self._resampler = library("av").AudioResampler("fltp", self._layout, self._rate)
                self._kind = kind
            frame.pts = None  # what a gap in the times would fill in is not in the file
            yield from self._resampler.resample(frame)
        yield from self._end()

    def _end(self) -> Iterator[Any]:
        if self._resampler is not None:
            yield from self._resampler.resample(None)


def _frames(media: Any, file_format: Format, index: int, opened: Opened, damage: Damage) -> Iterator[Any]:
    """Decodes to the end, past damaged packets.

    Raises:
        SourceError: nothing can be decoded, or that end is before the one that the container declares.
    """
    av = library("av")
    ends, lost, longest, read = StreamEnds(), 0, 0, 0
    refused = Refused()
    stream = media.streams[index]
    explode = "+explode" if stream.codec_context.name in _CHECKED else ""
    stream.codec_context.options = {"err_detect": "crccheck" + explode}
    streams = () if needs_all_streams(file_format) else (stream,)
    for packet in packets_of(media, *streams, refused=refused):
        require_wanted()
        if packet.size:
            ends.add(packet)
        if packet.stream_index != index:
            continue
        read += packet.size
        damaged = False
        try:
            for frame in packet.decode():
                longest = max(longest, frame.samples)
                damaged = damaged or frame.is_corrupt
                yield frame
        except MemoryError:
            raise
        except av.FFmpegError as error:
            refused.add(error)
        else:
            lost += damaged
        damage.meets(lost + refused.count)
    if refused.first and not longest:
        raise refused.first
    lost += refused.count + (file_format.name in _BARE and read < opened.size)
    damage.met(lost, (lost + 1) * longest)
    check_duration(media, file_format, ends, opened)
