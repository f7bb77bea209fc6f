"""Videos, read by FFmpeg through PyAV: all packets are counted, then only the needed ones are decoded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bindrt.cores import VIDEOS
from bindrt.errors import LimitError, SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.claims import check_rate
from bindrt.sources.container import open_container, video_stream
from bindrt.sources.declared import check_declared_size
from bindrt.sources.formats import TRACKS, Format, sniff, unfit
from bindrt.sources.frames import Frame, LostError, decode_plan, frame_of
from bindrt.sources.groups import DecodePlan, PacketTable, frames_between, plan_decoding
from bindrt.sources.handover import hand_over_ffmpeg
from bindrt.sources.held import check_held, is_large
from bindrt.sources.inorder import Decoding, Placing
from bindrt.sources.opening import IF_CUT, Opened, decoding
from bindrt.sources.packets import count_packets
from bindrt.sources.pixel_limits import check_pixels
from bindrt.sources.played import ends_early, plays
from bindrt.sources.video_numbers import FREE_PIXELS, MISSING

_RATELESS = ("dv", "h264", "hevc", "m4v", "mpegvideo", "JPEG")  # for these FFmpeg's average says nothing
_REMEDY = IF_CUT
_STRICT = "leave strict out to embed what can be decoded"

Take = Callable[[int, Frame], None]


@dataclass(frozen=True)
class Read:
    """What reading frames found.

    Attributes:
        found: those of the wanted frames that are there.
        decoded: how many frames the video has, or, if it was read in order, how many were decoded.
        lost: packets that the decoder refused.
        damaged: wanted frames that the decoder marks as damaged, or in whose place the one before stands.
    """

    found: frozenset[int]
    decoded: int
    lost: int = 0
    damaged: int = 0


@dataclass(frozen=True)
class Clip:
    """What demuxing a video found.

    Attributes:
        frames: how many frames it has: packets of the video stream that are to be shown.
        fps: the average frame rate, in frames per second.
        width, height: the frames' size in pixels as the header has it, before any rotation.
        packets: the packets of the video stream.
        tick: seconds of one unit of the packets' times.
        damaged: how many of them the container marks as damaged.
        media: the container while it is open; else None.
    """

    opened: Opened
    file_format: Format
    frames: int
    fps: float
    width: int
    height: int
    packets: PacketTable
    tick: float
    damaged: int = 0
    media: Any = None

    def read(
        self, wanted: Sequence[int], take: Take, limits: Limits = DEFAULT_LIMITS, strict: bool = False
    ) -> Read:
        """Calls ``take(index, frame)`` for the frames at the ``wanted`` indices, in any order.

        A frame may come twice; the second replaces the first. Frames that cannot be decoded are left out, or
        the frame before stands in their place.

        Args:
            wanted: indices of frames, rising.
            strict: decodes the whole video, and refuses one of which a packet cannot be decoded.

        Raises:
            SourceError: with ``strict``, the video is damaged.
        """
        for short in () if strict else (True, False):
            groups = plan_decoding(self.packets, wanted, short)
            if groups is None:
                break
            self._check_work(groups.runs, limits)
            found: set[int] = set()
            for index, frame in self._planned(groups, limits):
                take(index, frame)
                found.add(index)
            if len(found) == len(groups.index):
                return Read(frozenset(found), self.frames)
        self._check_work([range(len(self.packets.sizes))], limits)
        whole = self._read_all(wanted, take, limits, strict)
        return self._read_damaged(wanted, take, limits) if whole is None else whole

    def between(self, start: float, end: float | None) -> range:
        """The frames that are shown from ``start`` to before ``end``, in seconds from the first frame."""
        if start == 0 and end is None:
            return range(self.frames)
        by_time = self.packets.between(start, end, self.tick)
        return frames_between(start, end, self.fps, self.frames) if by_time is None else by_time

    def _check_work(self, runs: Sequence[range], limits: Limits) -> None:
        """Raises LimitError if these packets decode to too many pixels for their size."""
        sizes = np.frombuffer(self.packets.sizes, np.int64)
        pixels = sum(map(len, runs)) * self.width * self.height
        check_work(
            pixels, sum(int(sizes[run.start : run.stop].sum()) for run in runs), self.opened.name, limits
        )

    def _planned(self, groups: DecodePlan, limits: Limits) -> Iterator[tuple[int, Frame]]:
        """The planned frames, found by their times; those that are missing or not certain are left out."""
        import av

        live = self.media if groups.short else None
        last = None
        with _container(self, live, limits) as media, decoding(self.opened.name, "video", _REMEDY):
            stream = video_to_decode(media, self.opened)
            try:
                for decoded in decode_plan(media, stream, self.packets, groups, fresh=live is None):
                    if last is not None and (decoded.pts is None or decoded.pts <= last):
                        return  # decoders give frames as they are shown: the times are not those of showing
                    last = decoded.pts
                    index = groups.index.get(decoded.pts)
                    if index is None:
                        continue
                    if decoded.is_corrupt or (groups.short and decoded.interlaced_frame):
                        return  # its second field may be in another packet
                    yield index, self._frame(decoded, limits)
            except (LostError, av.FFmpegError):
                return

    def _read_all(self, wanted: Sequence[int], take: Take, limits: Limits, strict: bool) -> Read | None:
        """Decodes from the beginning, in threads, and finds the wanted frames by counting.

        Returns:
            None if a packet cannot be decoded.
        """
        found, damaged, count = set(), 0, 0
        with self._in_order(limits, tolerant=False, strict=strict) as whole:
            for at, decoded in enumerate(whole.frames()):
                count = at + 1
                if at in wanted:
                    take(at, self._frame(decoded, limits))
                    found.add(at)
                if strict or at in wanted:
                    damaged += bool(decoded.is_corrupt)
                if at == wanted[-1] and not strict:
                    break
        if strict and (whole.lost or damaged or self.damaged):
            raise SourceError(self.opened.name, f"a packet is damaged: {whole.said or 'marked so'}", _STRICT)
        return None if whole.lost else Read(frozenset(found), count, damaged=damaged)

    def _read_damaged(self, wanted: Sequence[int], take: Take, limits: Limits) -> Read:
        """Decodes what can be decoded; the frames keep their places if the packets' times tell them."""
        shown, times = self.packets.shown(), self.packets.times
        index = None if shown is None else {times[packet]: at for at, packet in enumerate(shown)}
        placing = Placing(wanted, index)
        found, damaged = set(), set[int]()
        with self._in_order(limits, tolerant=True) as rest:
            for at, decoded in placing.place(rest.frames()):
                take(at, self._frame(decoded, limits))
                found.add(at)
                if decoded.is_corrupt:
                    damaged.add(at)
        return Read(frozenset(found), placing.decoded, rest.lost, len(damaged | placing.replaced))

    @contextlib.contextmanager
    def _in_order(self, limits: Limits, tolerant: bool, strict: bool = False) -> Iterator[Decoding]:
        """The decoding of the whole video. With threads some frames would be lost beside a damaged one."""
        with _container(self, None, limits) as media, decoding(self.opened.name, "video", _REMEDY):
            stream = video_to_decode(media, self.opened)
            if tolerant:
                stream.thread_type = "SLICE"
            if strict:
                stream.codec_context.options = {"err_detect": "explode"}
            yield Decoding(media, stream, tolerant)

    def _frame(self, decoded: Any, limits: Limits) -> Frame:
        """The frame, rotated as the display matrix of an MP4 or MOV says.

        The rotation in Matroska is ignored, as decord ignores it.
        """
        check_frame_size(decoded.width, decoded.height, self.opened.name, limits)
        return frame_of(decoded, turning=self.file_format.name == "mov")


@contextlib.contextmanager
def open_clip(opened: Opened, limits: Limits = DEFAULT_LIMITS) -> Iterator[Clip]:
    """Counts the frames of a video without decoding them; the container stays open for reading.

    Raises:
        SourceError: the file is of another format, damaged or truncated, or has no video stream.
        LimitError: it has more pixels or seconds than ``limits`` allow.
    """
    file_format = video_format(opened)
    hand_over_ffmpeg()
    with VIDEOS.one(), open_container(opened, file_format, limits) as media:
        yield _counted(media, opened, file_format, limits)


def video_format(opened: Opened) -> Format:
    """The format of a file that plays.

    Raises:
        SourceError: it is of another format, or shorter than it says.
    """
    file_format = sniff(opened)
    if file_format.family != "container" and file_format.name != "OGG" and not plays(opened, file_format):
        raise unfit(opened, file_format, "a video", TRACKS)
    check_declared_size(opened, file_format)
    return file_format


def probe(opened: Opened, limits: Limits = DEFAULT_LIMITS) -> Clip:
    """As :func:`open_clip`, but the container is closed; ``read`` opens it again."""
    with open_clip(opened, limits) as clip:
        return replace(clip, media=None)


def _counted(media: Any, opened: Opened, file_format: Format, limits: Limits) -> Clip:
    with decoding(opened.name, "video", _REMEDY):
        stream = video_to_decode(media, opened)
        rate = checked_rate(stream, opened, file_format, limits)
        context = stream.codec_context
        counted = count_packets(media, stream, file_format, opened, rate, limits)
    if counted.shown == 0:
        raise SourceError(opened.name, "the video has no frames")
    size, tick = (context.width, context.height), float(stream.time_base or 0)
    damaged = counted.damaged + ends_early(opened, file_format)
    return Clip(opened, file_format, counted.shown, rate, *size, counted.packets, tick, damaged, media)


def checked_rate(stream: Any, opened: Opened, file_format: Format, limits: Limits) -> float:
    """The frames per second of a video stream, once its header is within the limits.

    Raises:
        SourceError: it has no rate, or frames without pixels.
        LimitError: its frames have too many pixels, or the decoder would keep too many of them.
    """
    context = stream.codec_context
    check_frame_size(context.width, context.height, opened.name, limits)
    check_held(context, opened, limits)
    average = None if file_format.name in _RATELESS else stream.average_rate
    rate = average or stream.guessed_rate
    if not rate or rate <= 0:
        raise SourceError(opened.name, "the video has no frame rate", "write it again with one")
    check_rate(float(rate), opened.name)
    return float(rate)


def check_work(pixels: int, size: int, name: str, limits: Limits) -> None:
    """Raises LimitError if packets of ``size`` bytes decode to more pixels than the limits allow."""
    if pixels > FREE_PIXELS + limits.max_pixels_per_byte * size:
        raise LimitError(
            name,
            f"{size} bytes of packets decode to {pixels:.2g} pixels",
            "raise Limits.max_pixels_per_byte if you trust the file",
        )


def check_frame_size(width: int, height: int, name: str, limits: Limits) -> None:
    """Raises SourceError for frames without pixels, LimitError for frames with too many."""
    if width < 1 or height < 1:
        raise SourceError(name, f"frames of {width} x {height} pixels", "is the file damaged?")
    check_pixels(width, height, name, limits)


@contextlib.contextmanager
def _container(clip: Clip, live: Any | None, limits: Limits) -> Iterator[Any]:
    """The container that is open, or one that is opened now."""
    if live is not None:
        yield live
        return
    with open_container(clip.opened, clip.file_format, limits) as media:
        yield media


def lost_frames(clip: Clip, read: Read, strict: bool) -> int:
    """How many packets gave no frame, after all were decoded; 0 if the count may just be a little off.

    Raises:
        SourceError: no frame can be decoded; with ``strict``, some cannot.
    """
    missing = clip.frames - read.decoded
    if read.decoded == 0 or (strict and missing > (0 if clip.packets.reliable else MISSING)):
        raise SourceError(
            clip.opened.name, f"only {read.decoded} of {clip.frames} frames can be decoded", "is it damaged?"
        )
    return missing if missing > MISSING else 0


def video_to_decode(media: Any, opened: Opened) -> Any:
    """The video stream, to be decoded in threads."""
    stream = video_stream(media)
    if stream is None:
        remedy = "pass it as audio" if media.streams.audio else ""
        raise SourceError(opened.name, "the file has no video stream", remedy)
    if stream.codec_context is None:
        raise SourceError(opened.name, "FFmpeg has no decoder for its codec", "convert it to H.264, say")
    if not stream.codec_context.is_open:
        stream.thread_type = "SLICE" if is_large(stream.codec_context) else "AUTO"
        stream.codec_context.thread_count = VIDEOS.threads()
    return stream
