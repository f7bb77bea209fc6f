"""Decodes the wanted frames of a video in one pass, from only the packets that they need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.sources.colour import picture_of
from bindrt.sources.groups import DecodePlan, PacketTable
from bindrt.wanted import require_wanted

_SEEK_GAP = 50  # packets: reading over fewer is cheaper than seeking


@dataclass(frozen=True)
class Frame:
    """A decoded frame, which is still to be rotated.

    Attributes:
        picture: its pixels, for the kernels.
        width, height: its size in pixels after the rotation.
        quarter_turns: how many quarter turns it must be rotated, counter-clockwise.
    """

    picture: _core.Picture
    width: int
    height: int
    quarter_turns: int = 0

    def rgb(self) -> Array:
        """Its pixels, rotated: uint8 ``[height, width, 3]``."""
        return np.rot90(_core.picture_to_rgb(self.picture), self.quarter_turns)


class ShownFrame:
    """A frame of a video that is played; it becomes a :class:`Frame` when its pixels are needed.

    Attributes:
        pixels: how many it has.
    """

    def __init__(self, decoded: Any, turning: bool) -> None:
        self.pixels: int = decoded.width * decoded.height
        self._decoded, self._turning = decoded, turning
        self._frame: Frame | None = None

    @classmethod
    def of(cls, frame: Frame) -> ShownFrame:
        """One that is ready."""
        shown = cls(frame, False)
        shown._frame = frame
        return shown

    def frame(self) -> Frame:
        """The frame, made once; by one thread at a time."""
        if self._frame is None:
            self._frame, self._decoded = frame_of(self._decoded, self._turning), None
        return self._frame


def frame_of(decoded: Any, turning: bool) -> Frame:
    """The frame of a decoder's frame; with ``turning`` it has the quarter turns of its display matrix.

    Angles that are not quarter turns are ignored.
    """
    angle = getattr(decoded, "rotation", 0) if turning else 0
    turns = angle // 90 % 4 if angle % 90 == 0 else 0
    size = (decoded.width, decoded.height)
    return Frame(picture_of(decoded), *(size if turns % 2 == 0 else size[::-1]), turns)


class LostError(Exception):
    """The container gives other packets than those that were counted."""


def decode_plan(media: Any, stream: Any, table: PacketTable, plan: DecodePlan, fresh: bool) -> Iterator[Any]:
    """The decoder's frames for a plan. Some may be missing, and there may be some that are not wanted.

    Args:
        fresh: the container has just been opened; it is then read in order, without seeking.

    Raises:
        LostError: seeking does not lead to the expected packet.
    """
    decoder = stream.codec_context
    packets = _Packets(media, stream, table, fresh)
    if not fresh and decoder.is_open:
        decoder.flush_buffers()  # an earlier plan may have been given up
    skipping = plan.short and decoder.name == "h264"
    for run in plan.runs:
        for at in run:
            require_wanted()
            packet = packets.read(at)
            if skipping:
                # H.264 marks reference frames: no other frame is predicted from a frame without the mark.
                decoder.skip_frame = "DEFAULT" if at in plan.packets else "NONREF"
            yield from decoder.decode(packet)
        yield from decoder.decode(None)
        decoder.flush_buffers()


class _Packets:
    """The stream's packets by their position; each is compared with the table."""

    def __init__(self, media: Any, stream: Any, table: PacketTable, fresh: bool) -> None:
        self._media, self._stream, self._table = media, stream, table
        self._fresh = fresh
        self._demux = self._sized()
        self._held: Any = None  # the packet at _next, if it has been read
        self._next = 0 if fresh else len(table.times)

    def read(self, at: int) -> Any:
        """The packet at a position: that of a key frame, or the next after the last one read."""
        if not self._fresh and (at < self._next or at - self._next > _SEEK_GAP):
            self._seek(at)
        while self._next < at:
            self._pull()
        return self._pull()

    def _pull(self) -> Any:
        packet, self._held = self._held or next(self._demux, None), None
        table, at = self._table, self._next
        if packet is None or (packet.pts, packet.size) != (table.times[at], table.sizes[at]):
            raise LostError
        self._next += 1
        return packet

    def _seek(self, at: int) -> None:
        import av

        try:
            self._media.seek(self._table.times[at], stream=self._stream)
        except av.FFmpegError as error:
            raise LostError from error
        self._demux = self._sized()
        self._held = next(self._demux, None)
        found = None if self._held is None else self._table.position(self._held.pts)
        if found is None or found > at:
            raise LostError
        self._next = found

    def _sized(self) -> Iterator[Any]:
        return (packet for packet in self._media.demux(self._stream) if packet.size)
