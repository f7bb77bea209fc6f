"""Videos through PyAV: counted by demuxing, then only the needed groups decoded, wanted frames converted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.audio import check_seconds
from bindrt.sources.container import open_container, video_stream
from bindrt.sources.groups import PacketTable, Plan, plan
from bindrt.sources.image import check_pixels
from bindrt.sources.opening import Opened, decoding
from bindrt.sources.sniff import Kind, sniff, unfit

FORMATS = "MP4, MKV, WebM and AVI"
_FEW = 3  # frames by which a container's count may be wrong
_SHARE = 0.1  # and its share, where the decoder shows fewer pictures than there are packets


@dataclass(frozen=True)
class Clip:
    """A video's facts after demuxing.

    Attributes:
        frames: packets of the video stream that are to be shown.
        fps: the average frame rate, frames per second.
    """

    opened: Opened
    kind: Kind
    frames: int
    fps: float
    packets: PacketTable

    def read(self, wanted: Sequence[int], limits: Limits = DEFAULT_LIMITS) -> tuple[dict[int, Array], int]:
        """The frames at the ``wanted`` indices, uint8 RGB ``[H, W, 3]``, and how many were decoded.

        Frames that the decoder does not reach are left out of the result.
        """
        groups = plan(self.packets, wanted)
        if groups is not None:
            found = _decode_groups(self, groups, limits)
            if len(found) == len(groups.index):
                return found, self.frames
        return _decode_all(self, frozenset(wanted), limits)


def probe(opened: Opened, limits: Limits = DEFAULT_LIMITS) -> Clip:
    """Counts the frames of a video without decoding them.

    Raises:
        SourceError: another format, damaged, truncated, or no video stream.
        LimitError: more pixels or seconds than ``limits`` allow.
    """
    kind = sniff(opened.head)
    if kind.family != "container" and kind.format != "OGG":
        raise unfit(opened, kind, "a video", FORMATS)
    with open_container(opened, kind) as media, decoding(opened.name, "video", "is it complete?"):
        stream = _stream(media, opened)
        context = stream.codec_context
        check_pixels(context.width, context.height, opened.name, limits)
        rate = stream.average_rate or stream.guessed_rate
        if not rate or rate <= 0:
            raise SourceError(opened.name, "the video names no frame rate", "write it again with one")
        counted = _count(media, stream, opened, float(rate), limits)
        _check_complete(media, stream, kind, counted, opened)
    if counted.shown == 0:
        raise SourceError(opened.name, "the video has no frames")
    return Clip(opened, kind, counted.shown, float(rate), counted.packets)


def check_decoded(clip: Clip, decoded: int) -> None:
    """Raises SourceError if far fewer frames were decoded than counted."""
    if decoded == 0 or clip.frames - decoded > max(_FEW, _SHARE * clip.frames):
        raise SourceError(
            clip.opened.name, f"only {decoded} of {clip.frames} frames can be decoded", "is the file damaged?"
        )


def _stream(media: Any, opened: Opened) -> Any:
    stream = video_stream(media)
    if stream is None:
        remedy = "pass it as audio" if media.streams.audio else ""
        raise SourceError(opened.name, "the file has no video stream", remedy)
    return stream


@dataclass
class _Counted:
    """Frames to be shown, the stream's packets, and when it and the last of all streams end, in seconds."""

    packets: PacketTable = field(default_factory=PacketTable)
    shown: int = 0
    end: float = 0.0
    last_end: float = 0.0


def _count(media: Any, stream: Any, opened: Opened, fps: float, limits: Limits) -> _Counted:
    counted = _Counted()
    for packet in media.demux():
        if packet.size == 0:
            continue
        end = _end_of(packet)
        counted.last_end = max(counted.last_end, end)
        if packet.stream.index == stream.index:
            counted.end = max(counted.end, end)
            counted.shown += not packet.is_discard
            counted.packets.add(packet.pts, packet.is_keyframe, not packet.is_discard)
            check_seconds(len(counted.packets.times), fps, opened.name, limits)
    return counted


def _end_of(packet: Any) -> float:
    time = packet.dts if packet.pts is None else packet.pts
    if time is None or packet.time_base is None:
        return 0.0
    return float((time + (packet.duration or 0)) * packet.time_base)


def _check_complete(media: Any, stream: Any, kind: Kind, counted: _Counted, opened: Opened) -> None:
    """Compares with what the header declares: frames and their duration, or Matroska's duration.

    Frames alone may be fewer: AVI declares those that were dropped while recording.
    """
    declared, there = stream.frames or 0, len(counted.packets.times)
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    early = seconds is None or seconds - counted.end > _FEW * seconds / max(declared, 1)
    if declared - there > _FEW and early:
        raise SourceError(
            opened.name, f"truncated: {there} of {declared} frames are there", "is it complete?"
        )
    if kind.format == "matroska" and media.duration:
        seconds = media.duration / 1e6
        if seconds - counted.last_end > max(0.5, 0.05 * seconds):
            raise SourceError(
                opened.name,
                f"truncated: {counted.last_end:.2f} of {seconds:.2f} s are there",
                "is it complete?",
            )


def _decode_all(clip: Clip, wanted: frozenset[int], limits: Limits) -> tuple[dict[int, Array], int]:
    """Decodes from the beginning and counts."""
    opened, last = clip.opened, max(wanted)
    found: dict[int, Array] = {}
    decoded = 0
    with open_container(opened, clip.kind) as media, decoding(opened.name, "video", "is it complete?"):
        stream = _stream(media, opened)
        stream.thread_type = "AUTO"
        for frame in media.decode(stream):
            if decoded in wanted:
                found[decoded] = _to_rgb(frame, clip, limits)
            decoded += 1
            if decoded > last:
                break
    return found, decoded


def _decode_groups(clip: Clip, groups: Plan, limits: Limits) -> dict[int, Array]:
    """Decodes only some packets and knows frames by their times; misses those the decoder withholds."""
    found: dict[int, Array] = {}
    with (
        open_container(clip.opened, clip.kind) as media,
        decoding(clip.opened.name, "video", "is it complete?"),
    ):
        stream = _stream(media, clip.opened)
        stream.thread_type = "AUTO"
        for frame in _frames_of(media, stream, groups.runs):
            index = groups.index.get(frame.pts)
            if index is not None:
                found[index] = _to_rgb(frame, clip, limits)
    return found


def _frames_of(media: Any, stream: Any, runs: list[range]) -> Iterator[Any]:
    """The frames of some ranges of packets; the decoder is emptied and reset between them."""
    decoder, left, at = stream.codec_context, list(runs), 0
    for packet in media.demux(stream):
        if packet.size == 0:
            continue
        if left and at in left[0]:
            yield from decoder.decode(packet)
        at += 1
        if left and at == left[0].stop:
            yield from decoder.decode(None)
            decoder.flush_buffers()
            left.pop(0)
            if not left:
                return


def _to_rgb(frame: Any, clip: Clip, limits: Limits) -> Array:
    """RGB, turned as an MP4's or MOV's display matrix says in quarter turns, as decord does.

    decord ignores other angles, mirroring, and rotation in Matroska.
    """
    check_pixels(frame.width, frame.height, clip.opened.name, limits)
    rgb: Array = frame.to_ndarray(format="rgb24")
    turn = getattr(frame, "rotation", 0) if clip.kind.format == "mov" else 0
    return np.rot90(rgb, turn // 90) if turn % 90 == 0 and turn else rgb
