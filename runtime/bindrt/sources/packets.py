"""Counts a video's packets by demuxing: how many frames there are, and whether the file is whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.claims import check_packets
from bindrt.sources.container import Refused, StreamEnds, check_duration, needs_all_streams, packets_of
from bindrt.sources.formats import Format
from bindrt.sources.groups import PacketTable
from bindrt.sources.opening import IF_CUT, Opened
from bindrt.sources.recording import check_seconds
from bindrt.wanted import require_wanted

_EACH = 1024  # packets after which their number is compared with the limits
_TIMES = 16  # so many bytes may come of each in the file: Matroska may compress
FEW = 3  # a container's count of frames may be wrong by so many
#: FFmpeg's demuxers of containers that store no presentation times, or those of some packets only.
_UNTIMED = ("avi", "asf", "mpeg", "wtv", "rm", "h264", "hevc", "m4v", "mpegvideo")


@dataclass
class PacketCount:
    """What demuxing a video stream found.

    Attributes:
        packets: all packets of the stream.
        shown: how many of them are to be shown.
        end: when the last one ends, in seconds.
        damaged: how many packets the container marks as damaged, as MPEG-TS does, or the demuxer refuses.
    """

    packets: PacketTable = field(default_factory=PacketTable)
    shown: int = 0
    end: float = 0.0
    damaged: int = 0


def count_packets(
    media: Any, stream: Any, file_format: Format, opened: Opened, fps: float, limits: Limits
) -> PacketCount:
    """Demuxes a video stream to its end, without decoding.

    Args:
        fps: frames per second, to check the length while reading.

    Raises:
        SourceError: frames that the header declares are missing.
        LimitError: the video is longer than ``limits.max_seconds``, or has more than ``limits.max_packets``.
    """
    counted = PacketCount()
    ends = StreamEnds()
    most = limits.max_seconds * fps
    packets, read = 0, 0
    refused = Refused()
    streams = () if needs_all_streams(file_format) else (stream,)
    for packet in packets_of(media, *streams, refused=refused):
        require_wanted()
        if packet.size == 0:
            continue
        ends.add(packet)
        if packet.stream_index == stream.index:
            shown = not packet.is_discard
            counted.shown += shown
            counted.damaged += packet.is_corrupt
            counted.packets.add(packet.pts, packet.is_keyframe, shown, packet.size)
            if len(counted.packets.times) > most:
                check_seconds(len(counted.packets.times), fps, opened.name, limits)
        read += packet.size
        packets += 1
        if packets % _EACH == 0:
            check_packets(packets, opened, limits)
            if read > _TIMES * opened.size + _EACH:
                raise SourceError(
                    opened.name, f"{read} bytes of packets in {opened.size} bytes", "is the file damaged?"
                )
    if refused.first and not counted.shown:
        raise refused.first
    counted.damaged += refused.count
    counted.end = ends.seconds().get(stream.index, 0.0)
    counted.packets.reliable &= _has_shown_order(stream, counted.packets, file_format)
    _check_complete(stream, counted, opened)
    check_duration(media, file_format, ends, opened)
    return counted


def _has_shown_order(stream: Any, packets: PacketTable, file_format: Format) -> bool:
    """Whether the packets' times tell the order in which frames are shown.

    Where a container has no presentation times, FFmpeg hands out those of decoding. They are the same if the
    codec does not reorder frames; times in another order than the packets were written by someone who knew.
    """
    decoder = stream.codec_context
    if packets.reordered or not decoder.codec.reorder:
        return True
    # FFmpeg learns from the headers of MPEG-4 and the like whether there are B-frames; of H.264 and H.265 it
    # knows it for certain only if the encoder said so.
    guessed = file_format.name in _UNTIMED and decoder.name in ("h264", "hevc", "vvc")
    return not decoder.has_b_frames and not guessed


def _check_complete(stream: Any, counted: PacketCount, opened: Opened) -> None:
    """Raises SourceError if both the frames and their duration are less than the header declares.

    Fewer frames alone are allowed: AVI also declares frames that were dropped while recording.
    """
    declared, there = stream.frames or 0, len(counted.packets.times)
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    early = seconds is None or seconds - counted.end > FEW * seconds / max(declared, 1)
    if declared - there > FEW and early:
        raise SourceError(opened.name, f"truncated: {there} of {declared} frames are there", IF_CUT)
