"""Media containers, read by FFmpeg through PyAV: MP4, MOV, MKV, WebM, AVI, OGG."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bindrt.errors import SourceError
from bindrt.sources.formats import Format
from bindrt.sources.opening import Opened, decoding, library

_DEMUXER = {"OGG": "ogg"}


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


def needs_all_streams(file_format: Format) -> bool:
    """Whether all streams must be read to know that the file is whole.

    Matroska declares only the duration of the longest stream.
    """
    return file_format.name == "matroska"


def check_duration(media: Any, file_format: Format, ends: StreamEnds, name: str) -> None:
    """Raises SourceError if a Matroska file's packets end long before the duration that it declares."""
    if not needs_all_streams(file_format) or not media.duration:
        return
    seconds, last = media.duration / 1e6, max(ends.seconds().values(), default=0.0)
    if seconds - last > max(0.5, 0.05 * seconds):
        raise SourceError(name, f"truncated: {last:.2f} of {seconds:.2f} s are there", "is it complete?")


@contextlib.contextmanager
def open_container(opened: Opened, file_format: Format) -> Iterator[Any]:
    """Opens a container with the demuxer of its format, and with no other.

    Without a demuxer FFmpeg would also try playlists and protocols, which open other files or the network.
    """
    av = library("av")
    with decoding(opened.name, "media file", "is it complete?"):
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
