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
from bindrt.sources.video_numbers import MISSING, PACKED_TIMES
from bindrt.wanted import require_wanted

_EACH = 1024  # packets after which their number is compared with the limits
#: FFmpeg's demuxers of containers that store no presentation times, or those of some packets only.
_UNTIMED = ("avi", "asf", "mpeg", "wtv", "rm", "h264", "hevc", "m4v", "mpegvideo")


@dataclass
class Amount:
    """How many packets of a file were read, and their bytes; told when they are more than it can hold."""

    opened: Opened
    limits: Limits
    packets: int = 0
    read: int = 0

    def add(self, size: int) -> None:
        """Counts a packet.

        Raises:
            LimitError: there are more than ``limits.max_packets``.
            SourceError: there are more than the file has bytes for.
        """
        self.packets += 1
        self.read += size
        if self.packets % _EACH == 0:
            check_packets(self.packets, self.opened, self.limits)
            if self.read > PACKED_TIMES * self.opened.size + _EACH:
                raise SourceError(
                    self.opened.name,
                    f"{self.read} bytes of packets in {self.opened.size} bytes",
                    "is the file damaged?",
                )


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
    amount = Amount(opened, limits)
    refused = Refused()
    streams = () if needs_all_streams(file_format) else (stream,)
    for packet in packets_of(media, *streams, refused=refused):
        require_wanted()
        if packet.size == 0:
            continue
        ends.add(packet)
        amount.add(packet.size)
        if packet.stream_index == stream.index:
            shown = not packet.is_discard
            counted.shown += shown
            counted.damaged += packet.is_corrupt
            counted.packets.add(packet.pts, packet.is_keyframe, shown, packet.size)
            if len(counted.packets.times) > most:
                check_seconds(len(counted.packets.times), fps, opened.name, limits)
    if refused.first and not counted.shown:
        raise refused.first
    counted.damaged += refused.count
    counted.end = ends.seconds().get(stream.index, 0.0)
    counted.packets.reliable &= has_shown_order(stream, counted.packets.reordered, file_format)
    check_complete(stream, len(counted.packets.times), counted.end, opened)
    check_duration(media, file_format, ends, opened)
    return counted


def has_shown_order(stream: Any, reordered: bool, file_format: Format) -> bool:
    """Whether the packets' times tell the order in which frames are shown.

    Where a container has no presentation times, FFmpeg hands out those of decoding. They are the same if the
    codec does not reorder frames; times in another order than the packets were written by someone who knew.

    Args:
        reordered: whether the times have another order than the packets, as far as they were read.
    """
    decoder = stream.codec_context
    if reordered or not decoder.codec.reorder:
        return True
    # FFmpeg learns from the headers of MPEG-4 and the like whether there are B-frames; of H.264 and H.265 it
    # knows it for certain only if the encoder said so.
    guessed = file_format.name in _UNTIMED and decoder.name in ("h264", "hevc", "vvc")
    return not decoder.has_b_frames and not guessed


def check_complete(stream: Any, there: int, end: float, opened: Opened) -> None:
    """Raises SourceError if both the frames and their duration are less than the header declares.

    Fewer frames alone are allowed: AVI also declares frames that were dropped while recording.

    Args:
        there: packets that were read.
        end: when the last of them ends, in seconds.
    """
    declared = stream.frames or 0
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    early = seconds is None or seconds - end > MISSING * seconds / max(declared, 1)
    if declared - there > MISSING and early:
        raise SourceError(opened.name, f"truncated: {there} of {declared} frames are there", IF_CUT)
