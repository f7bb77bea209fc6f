"""Media containers, read by FFmpeg through PyAV: MP4, MOV, MKV, WebM, AVI, OGG."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.claims import check_tables
from bindrt.sources.formats import Format
from bindrt.sources.opening import IF_CUT, Opened, decoding, library
from bindrt.sources.promises import check_promise

_DEMUXER = {"OGG": "ogg", "GIF": "gif", "PNG": "apng", "JPEG": "mjpeg"}
_HOPELESS = 8  # places that the demuxer refuses one after the other


@dataclass
class StreamEnds:
    """When the last packet of each stream ends, by the stream's number.

    Times stay in the streams' own units until :meth:`seconds`, since converting each packet's takes long.
    """

    ticks: dict[int, int] = field(default_factory=dict)
    bases: dict[int, Any] = field(default_factory=dict)

    def add(self, packet: Any) -> None:
        """Takes in a packet that is not empty."""
        time = packet.dts if packet.pts is None else packet.pts
        if time is None:
            return
        number, end = packet.stream_index, time + (packet.duration or 0)
        if number not in self.ticks:
            self.ticks[number], self.bases[number] = end, packet.time_base
        elif end > self.ticks[number]:
            self.ticks[number] = end

    def seconds(self) -> dict[int, float]:
        return {n: max(0.0, float(end * self.bases[n])) for n, end in self.ticks.items() if self.bases[n]}


@dataclass
class Refused:
    """What FFmpeg refused of a file: how often, and what it said the first time."""

    count: int = 0
    first: Exception | None = None

    def add(self, error: Exception) -> None:
        self.count, self.first = self.count + 1, self.first or error


def packets_of(media: Any, *streams: Any, refused: Refused) -> Iterator[Any]:
    """All packets of some streams, or of all; also those behind a place that the demuxer refuses.

    Eight such places one after the other end the file.
    """
    av = library("av")
    in_a_row = 0
    while in_a_row < _HOPELESS:
        try:
            for packet in media.demux(*streams):
                in_a_row = 0
                yield packet
            return
        except av.error.InvalidDataError as error:
            refused.add(error)
            in_a_row += 1
    for stream in streams or media.streams:
        end = av.Packet()
        end.stream = stream
        yield end


def needs_all_streams(file_format: Format) -> bool:
    """Whether all streams must be read to know that the file is whole.

    These declare only the duration of the longest stream.
    """
    return file_format.name in ("matroska", "flv")


def check_duration(media: Any, file_format: Format, ends: StreamEnds, opened: Opened) -> None:
    """Raises SourceError if a file's packets end long before the end that its header promises."""
    check_promise(media, file_format, opened, max(ends.seconds().values(), default=0.0))


@contextlib.contextmanager
def open_container(opened: Opened, file_format: Format, limits: Limits = DEFAULT_LIMITS) -> Iterator[Any]:
    """Opens a container with the demuxer of its format, and with no other, once its tables are checked.

    Without a demuxer FFmpeg would also try playlists and protocols, which open other files or the network.

    Raises:
        SourceError: it is damaged, or claims more than it can hold.
        LimitError: it has more packets than the limits allow.
    """
    av = library("av")
    check_tables(opened, file_format, limits)
    with decoding(opened.name, "media file", IF_CUT):
        media = av.open(opened.target, "r", format=_DEMUXER.get(file_format.name, file_format.name))
    try:
        yield media
    finally:
        media.close()


def video_stream(media: Any) -> Any | None:
    """The best video stream of an open container, or None; a cover image is not one."""
    candidates = [s for s in media.streams.video if not _is_cover(s)]
    best = media.streams.best("video")
    return best if any(best is s for s in candidates) else (candidates[0] if candidates else None)


def _is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)
