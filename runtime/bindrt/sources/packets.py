"""A video's packets, counted by demuxing: how many pictures there are, and whether the file is whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.audio import check_seconds
from bindrt.sources.container import Ends, check_duration, others_matter
from bindrt.sources.formats import Format
from bindrt.sources.groups import PacketTable
from bindrt.sources.opening import Opened

FEW = 3  # frames by which a container's count may be wrong


@dataclass
class Counted:
    """The stream's packets, how many are to be shown, and when it ends, in seconds."""

    packets: PacketTable = field(default_factory=PacketTable)
    shown: int = 0
    end: float = 0.0


def count(
    media: Any, stream: Any, file_format: Format, opened: Opened, fps: float, limits: Limits
) -> Counted:
    """Demuxes to the end.

    Raises:
        SourceError: pictures that the header declares are missing.
        LimitError: longer than ``limits.max_seconds``.
    """
    counted = Counted()
    ends = Ends()
    most = limits.max_seconds * fps
    for packet in media.demux() if others_matter(file_format) else media.demux(stream):
        if packet.size == 0:
            continue
        ends.add(packet)
        if packet.stream_index == stream.index:
            shown = not packet.is_discard
            counted.shown += shown
            counted.packets.add(packet.pts, packet.is_keyframe, shown, packet.size)
            if len(counted.packets.times) > most:
                check_seconds(len(counted.packets.times), fps, opened.name, limits)
    counted.end = ends.seconds().get(stream.index, 0.0)
    _check_complete(stream, counted, opened)
    check_duration(media, file_format, ends, opened.name)
    return counted


def _check_complete(stream: Any, counted: Counted, opened: Opened) -> None:
    """Compares with what the header declares: frames and their duration.

    Frames alone may be fewer: AVI declares those that were dropped while recording.
    """
    declared, there = stream.frames or 0, len(counted.packets.times)
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    early = seconds is None or seconds - counted.end > FEW * seconds / max(declared, 1)
    if declared - there > FEW and early:
        raise SourceError(
            opened.name, f"truncated: {there} of {declared} frames are there", "is it complete?"
        )
