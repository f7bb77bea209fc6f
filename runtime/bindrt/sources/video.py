"""Videos, read by FFmpeg through PyAV: all packets are counted, then only the needed ones are decoded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bindrt.errors import SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.container import open_container, video_stream
from bindrt.sources.formats import TRACKS, Format, sniff, unfit
from bindrt.sources.frames import Frame, LostError, decode_plan, frame_of
from bindrt.sources.groups import DecodePlan, PacketTable, plan_decoding
from bindrt.sources.image import check_pixels
from bindrt.sources.opening import Opened, decoding
from bindrt.sources.packets import FEW, count_packets

_SHARE = 0.1  # of the frames may be missing after decoding
_REMEDY = "is it complete?"

Take = Callable[[int, Frame], None]


@dataclass(frozen=True)
class Read:
    """What reading frames found.

    Attributes:
        found: those of the wanted frames that were decoded.
        decoded: how many frames the video has, or, if it was read in order, how many were decoded.
    """

    found: frozenset[int]
    decoded: int


@dataclass(frozen=True)
class Clip:
    """What demuxing a video found.

    Attributes:
        frames: how many frames it has: packets of the video stream that are to be shown.
        fps: the average frame rate, in frames per second.
        width, height: the frames' size in pixels as the header has it, before any rotation.
        packets: the packets of the video stream.
        media: the container while it is open; else None.
    """

    opened: Opened
    file_format: Format
    frames: int
    fps: float
    width: int
    height: int
    packets: PacketTable
    media: Any = None

    def read(self, wanted: Sequence[int], take: Take, limits: Limits = DEFAULT_LIMITS) -> Read:
        """Calls ``take(index, frame)`` for the frames at the ``wanted`` indices, in any order.

        A frame may come twice; the second replaces the first. Frames that cannot be decoded are left out.
        """
        for short in (True, False):
            groups = plan_decoding(self.packets, wanted, short)
            if groups is None:
                break
            found: set[int] = set()
            for index, frame in self._planned(groups, limits):
                take(index, frame)
                found.add(index)
            if len(found) == len(groups.index):
                return Read(frozenset(found), self.frames)
        return self._read_all(frozenset(wanted), take, limits)

    def _planned(self, groups: DecodePlan, limits: Limits) -> Iterator[tuple[int, Frame]]:
        """The planned frames, found by their times; those that are missing or not certain are left out."""
        live = self.media if groups.short else None
        with _container(self, live) as media, decoding(self.opened.name, "video", _REMEDY):
            stream = _stream(media, self.opened)
            try:
                for decoded in decode_plan(media, stream, self.packets, groups, fresh=live is None):
                    index = groups.index.get(decoded.pts)
                    if index is None:
                        continue
                    if groups.short and decoded.interlaced_frame:
                        return  # its second field may be in another packet
                    yield index, self._frame(decoded, limits)
            except LostError:
                return

    def _read_all(self, wanted: frozenset[int], take: Take, limits: Limits) -> Read:
        """Decodes all frames from the beginning and finds the wanted ones by counting."""
        found, decoded = set(), 0
        for frame in self._in_order(wanted, limits):
            if frame is not None:
                take(decoded, frame)
                found.add(decoded)
            decoded += 1
        return Read(frozenset(found), decoded)

    def _in_order(self, wanted: frozenset[int], limits: Limits) -> Iterator[Frame | None]:
        """Every frame up to the last wanted one; None in place of those that are not wanted."""
        last = max(wanted)
        with _container(self, None) as media, decoding(self.opened.name, "video", _REMEDY):
            for at, decoded in enumerate(media.decode(_stream(media, self.opened))):
                yield self._frame(decoded, limits) if at in wanted else None
                if at == last:
                    return

    def _frame(self, decoded: Any, limits: Limits) -> Frame:
        """The frame, rotated as the display matrix of an MP4 or MOV says.

        The rotation in Matroska is ignored, as decord ignores it.
        """
        check_pixels(decoded.width, decoded.height, self.opened.name, limits)
        return frame_of(decoded, turning=self.file_format.name == "mov")


@contextlib.contextmanager
def open_clip(opened: Opened, limits: Limits = DEFAULT_LIMITS) -> Iterator[Clip]:
    """Counts the frames of a video without decoding them; the container stays open for reading.

    Raises:
        SourceError: the file is of another format, damaged or truncated, or has no video stream.
        LimitError: it has more pixels or seconds than ``limits`` allow.
    """
    file_format = sniff(opened)
    if file_format.family != "container" and file_format.name != "OGG":
        raise unfit(opened, file_format, "a video", TRACKS)
    with open_container(opened, file_format) as media:
        yield _counted(media, opened, file_format, limits)


def probe(opened: Opened, limits: Limits = DEFAULT_LIMITS) -> Clip:
    """As :func:`open_clip`, but the container is closed; ``read`` opens it again."""
    with open_clip(opened, limits) as clip:
        return replace(clip, media=None)


def _counted(media: Any, opened: Opened, file_format: Format, limits: Limits) -> Clip:
    with decoding(opened.name, "video", _REMEDY):
        stream = _stream(media, opened)
        context = stream.codec_context
        check_pixels(context.width, context.height, opened.name, limits)
        rate = stream.average_rate or stream.guessed_rate
        if not rate or rate <= 0:
            raise SourceError(opened.name, "the video has no frame rate", "write it again with one")
        counted = count_packets(media, stream, file_format, opened, float(rate), limits)
    if counted.shown == 0:
        raise SourceError(opened.name, "the video has no frames")
    size = (context.width, context.height)
    return Clip(opened, file_format, counted.shown, float(rate), *size, counted.packets, media)


@contextlib.contextmanager
def _container(clip: Clip, live: Any | None) -> Iterator[Any]:
    """The container that is open, or one that is opened now."""
    if live is not None:
        yield live
        return
    with open_container(clip.opened, clip.file_format) as media:
        yield media


def check_decoded(clip: Clip, decoded: int) -> None:
    """Raises SourceError if far fewer frames were decoded than counted."""
    if decoded == 0 or clip.frames - decoded > max(FEW, _SHARE * clip.frames):
        raise SourceError(
            clip.opened.name, f"only {decoded} of {clip.frames} frames can be decoded", "is the file damaged?"
        )


def _stream(media: Any, opened: Opened) -> Any:
    """The video stream, to be decoded in threads."""
    stream = video_stream(media)
    if stream is None:
        remedy = "pass it as audio" if media.streams.audio else ""
        raise SourceError(opened.name, "the file has no video stream", remedy)
    if not stream.codec_context.is_open:
        stream.thread_type = "AUTO"
    return stream
