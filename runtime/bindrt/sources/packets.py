"""A video's packets, counted by demuxing: how many pictures there are, and whether the file is whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.audio import check_seconds
from bindrt.sources.groups import PacketTable
from bindrt.sources.opening import Opened
from bindrt.sources.sniff import Kind

FEW = 3  # frames by which a container's count may be wrong


@dataclass
class Counted:
    """The stream's packets, how many are to be shown, when it and the last of all streams end, in seconds."""

    packets: PacketTable = field(default_factory=PacketTable)
    shown: int = 0
    end: float = 0.0
    last_end: float = 0.0


def count(media: Any, stream: Any, kind: Kind, opened: Opened, fps: float, limits: Limits) -> Counted:
    """Demuxes to the end.

    Raises:
        SourceError: pictures that the header declares are missing.
        LimitError: longer than ``limits.max_seconds``.
    """
    counted = Counted()
    ends: dict[int, int] = {}  # by stream, in its own units: made seconds once, not for every packet
    bases: dict[int, Any] = {}
    most = limits.max_seconds * fps
    for packet in media.demux() if _others_matter(kind) else media.demux(stream):
        if packet.size == 0:
            continue
        time = packet.dts if packet.pts is None else packet.pts
        number = packet.stream_index
        if time is not None:
            end = time + (packet.duration or 0)
            if number not in ends:
                ends[number], bases[number] = end, packet.time_base
            elif end > ends[number]:
                ends[number] = end
        if number == stream.index:
            shown = not packet.is_discard
            counted.shown += shown
            counted.packets.add(packet.pts, packet.is_keyframe, shown, packet.size)
            if len(counted.packets.times) > most:
                check_seconds(len(counted.packets.times), fps, opened.name, limits)
    seconds = {number: float(end * bases[number]) for number, end in ends.items() if bases[number]}
    counted.end = max(0.0, seconds.get(stream.index, 0.0))
    counted.last_end = max(0.0, *seconds.values()) if seconds else 0.0
    _check_complete(media, stream, kind, counted, opened)
    return counted


def _others_matter(kind: Kind) -> bool:
    """Whether the end of the other streams says if the file is whole."""
    return kind.format == "matroska"


def _check_complete(media: Any, stream: Any, kind: Kind, counted: Counted, opened: Opened) -> None:
    """Compares with what the header declares: frames and their duration, or Matroska's duration.

    Frames alone may be fewer: AVI declares those that were dropped while recording.
    """
    declared, there = stream.frames or 0, len(counted.packets.times)
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
    early = seconds is None or seconds - counted.end > FEW * seconds / max(declared, 1)
    if declared - there > FEW and early:
        raise SourceError(
            opened.name, f"truncated: {there} of {declared} frames are there", "is it complete?"
        )
    if _others_matter(kind) and media.duration:
        seconds = media.duration / 1e6
        if seconds - counted.last_end > max(0.5, 0.05 * seconds):
            raise SourceError(
                opened.name,
                f"truncated: {counted.last_end:.2f} of {seconds:.2f} s are there",
                "is it complete?",
            )
