"""Plays a video once from its beginning: frame after frame with its time, in constant memory.

:mod:`bindrt.sources.video` counts a video's packets first, to find a few frames. What looks at every frame
needs no count: limits are checked while the frames come, and what was promised when they end.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

from bindrt.errors import SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.container import (
    Refused,
    StreamEnds,
    check_duration,
    needs_all_streams,
    open_container,
    packets_of,
)
from bindrt.sources.formats import Format
from bindrt.sources.frames import ShownFrame
from bindrt.sources.opening import IF_CUT, Opened, decoding
from bindrt.sources.packets import Amount, check_complete, has_shown_order
from bindrt.sources.played import ends_early
from bindrt.sources.recording import check_seconds
from bindrt.sources.sparse import REORDERED, Needs, Sparse, may_be_sparse
from bindrt.sources.video import (
    check_frame_size,
    check_work,
    checked_rate,
    video_format,
    video_to_decode,
)
from bindrt.wanted import require_wanted

_HOPELESS = 10_000  # packets that are refused one after the other: no frame will come of the rest


@dataclass
class FrameClock:
    """The time of each frame, in seconds from the first one.

    Attributes:
        fps: frames per second, by which frames are counted where times do not tell.
        tick: seconds of one unit of the frames' times; 0: they are counted.
    """

    fps: float
    tick: float
    _first: int | None = None
    _last: float = -1.0

    def time(self, stamp: int | None) -> float:
        """The time of the next frame; later than that of the one before."""
        counted = self._last + 1 / self.fps if self._last >= 0 else 0.0
        if stamp is None or not self.tick:
            self._last = counted
            return counted
        self._first = stamp if self._first is None else self._first
        found = (stamp - self._first) * self.tick
        self._last = found if found > self._last else counted
        return self._last


class Playing:
    """A video that is open.

    Attributes:
        name: its name in errors.
        fps: the average frame rate, in frames per second.
        lost: what was refused up to the last packet that was decoded: places by the demuxer, packets by the
            decoder. Behind the last frame it is all.
        damaged: frames so far that the decoder marks as damaged.
    """

    def __init__(self, media: Any, opened: Opened, file_format: Format, limits: Limits) -> None:
        self.name = opened.name
        self._opened, self._format, self._limits = opened, file_format, limits
        self._media = media
        self._stream = video_to_decode(media, opened)
        self.fps = checked_rate(self._stream, opened, file_format, limits)
        self._refused = Refused()
        self._refused_before: deque[int] = deque()  # for each packet that waits to be decoded
        self._passed = 0  # of the refused places those before the last packet that was decoded
        self._undecoded = 0
        self.damaged = 0
        self._frames = 0
        self._leaves_out = False  # what the decoder was told last

    @property
    def lost(self) -> int:
        return self._passed + self._undecoded

    def frames(self, needs: Needs | None = None) -> Iterator[tuple[float, ShownFrame | None]]:
        """The time of each frame in seconds from the first, and the frame; to be called once.

        Packets that cannot be decoded are left out, and counted in ``lost``.

        Args:
            needs: which frames are needed. In place of others there may be None.

        Raises:
            SourceError: no frame can be decoded; or, after the last frame, the file ends too early.
            LimitError: it is longer, or decodes to more, than the limits allow.
        """
        with decoding(self.name, "video", IF_CUT):
            ends, amount = StreamEnds(), Amount(self._opened, self._limits)
            first, packets = looked_at(self._packets(ends, amount), REORDERED + 1)
            tick = self._tick(first)
            clock = FrameClock(self.fps, tick)
            may_leave_out = tick > 0 and may_be_sparse(self._stream, self._format)
            sparse = Sparse(needs if may_leave_out else None, FrameClock(self.fps, tick))
            shown, hopeless = 0, 0
            for packet, is_needed in sparse.packets(packets):
                shown += 1
                self._passed = self._refused_before.popleft()
                found = self._decoded(packet, is_needed, sparse)
                hopeless = 0 if found else hopeless + 1
                yield from self._timed(found, clock, amount, sparse)
                if hopeless >= _HOPELESS:
                    break
            yield from self._timed(self._decoded(None, True, sparse), clock, amount, sparse)
            for stamp in sparse.left_out_at_end():
                yield clock.time(stamp), None
            self._passed = self._refused.count
            self._check_end(ends, shown)

    def _packets(self, ends: StreamEnds, amount: Amount) -> Iterator[Any]:
        """Those of the video."""
        every = () if needs_all_streams(self._format) else (self._stream,)
        for packet in packets_of(self._media, *every, refused=self._refused):
            require_wanted()
            if packet.size == 0:
                continue
            ends.add(packet)
            amount.add(packet.size)
            if packet.stream_index == self._stream.index:
                self._refused_before.append(self._refused.count)
                yield packet

    def _tick(self, first: Sequence[Any]) -> float:
        """Seconds of one unit of the frames' times; 0 if these are not those of showing.

        Args:
            first: the first packets; if their times have another order, somebody knew that of showing.
        """
        times = [packet.pts for packet in first if packet.pts is not None]
        reordered = any(later < earlier for earlier, later in pairwise(times))
        tells = has_shown_order(self._stream, reordered, self._format)
        return float(self._stream.time_base or 0) if tells else 0.0

    def _decoded(self, packet: Any, is_needed: bool, sparse: Sparse) -> list[Any]:
        import av

        decoder = self._stream.codec_context
        if self._leaves_out is is_needed:
            decoder.skip_frame = "DEFAULT" if is_needed else "NONREF"
            self._leaves_out = not is_needed
        try:
            return list(decoder.decode(packet))
        except av.FFmpegError:
            self._undecoded += 1
            sparse.stop()
            return []

    def _timed(
        self, found: Iterable[Any], clock: FrameClock, amount: Amount, sparse: Sparse
    ) -> Iterator[tuple[float, ShownFrame | None]]:
        turning = self._format.name == "mov"  # the rotation in Matroska is ignored, as decord ignores it
        for decoded in found:
            width, height = decoded.width, decoded.height
            check_frame_size(width, height, self.name, self._limits)
            self._frames += 1
            check_work(self._frames * width * height, amount.read, self.name, self._limits)
            for stamp in sparse.left_out_before(decoded):
                yield clock.time(stamp), None
            time = clock.time(decoded.pts)
            check_seconds(round(time * self.fps) + 1, self.fps, self.name, self._limits)
            self.damaged += bool(decoded.is_corrupt)
            yield time, ShownFrame(decoded, turning)

    def _check_end(self, ends: StreamEnds, shown: int) -> None:
        """Raises SourceError if there was nothing, or less than the header promises."""
        if self._refused.first and not shown:
            raise self._refused.first
        if not self._frames:
            raise SourceError(self.name, "the video has no frames that can be decoded", "is it damaged?")
        self.damaged += ends_early(self._opened, self._format)
        end = ends.seconds().get(self._stream.index, 0.0)
        check_complete(self._stream, shown, end, self._opened)
        check_duration(self._media, self._format, ends, self._opened)


def looked_at(items: Iterator[Any], most: int) -> tuple[list[Any], Iterator[Any]]:
    """The first of some items, and all of them. An error among the first is raised in its place.

    >>> looked_at(iter("abc"), 2)[0]
    ['a', 'b']
    """
    first: list[Any] = []
    failure: Exception | None = None
    try:
        first.extend(islice(items, most))  # it keeps those before an error
    except Exception as error:
        failure = error
    return first, _again(first, failure, items)


def _again(first: list[Any], failure: Exception | None, rest: Iterator[Any]) -> Iterator[Any]:
    yield from first
    if failure is not None:
        raise failure
    yield from rest


@contextlib.contextmanager
def open_playing(opened: Opened, limits: Limits = DEFAULT_LIMITS) -> Iterator[Playing]:
    """Opens a video to be played.

    Raises:
        SourceError: the file is of another format, damaged, or has no video stream.
        LimitError: its frames have more pixels than ``limits`` allow.
    """
    file_format = video_format(opened)
    with open_container(opened, file_format, limits) as media:
        with decoding(opened.name, "video", IF_CUT):
            playing = Playing(media, opened, file_format, limits)
        yield playing
