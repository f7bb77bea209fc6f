"""Video of messages, a frame a message, through FFmpeg."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from bindrt.errors import InputError
from bindrt.limits import Limits

_CODECS = {"h264": "h264", "h265": "hevc", "hevc": "hevc", "vp9": "vp9", "av1": "av1"}
_MOST_WAITING = 64  # times of packets whose frames have not come


class VideoDecoder:
    """Decodes the packets of one topic."""

    def __init__(self, coding: str, limits: Limits) -> None:
        """
        Raises:
            InputError: an unknown coding, or this FFmpeg has no decoder for it.
        """
        import av

        self.coding = coding
        name = _CODECS.get(coding.lower())
        if name is None:
            raise InputError(
                "", f"{coding[:40]!r} is no coding of video", f"it is one of {', '.join(_CODECS)}"
            )
        try:
            self._context: Any = av.CodecContext.create("libdav1d" if name == "av1" else name, "r")
        except (av.error.FFmpegError, ValueError) as error:
            raise InputError("", f"FFmpeg has no decoder for {coding}", "install another PyAV") from error
        self._context.flags |= _low_delay()
        self._context.thread_count = 1  # threads would hold frames back
        self._context.options = {"max_pixels": str(limits.max_pixels)}
        self._times: OrderedDict[int, tuple[float, int]] = OrderedDict()
        self._number = 0

    def decode(self, data: bytes, time: float, recorded: int) -> Iterator[tuple[Any, float, int]]:
        """The frames that a packet completes, each with the time and the record time of its own packet.

        Raises:
            InputError: FFmpeg cannot decode it. The next key frame makes the following ones whole.
        """
        import av

        packet = av.Packet(data)
        packet.pts = packet.dts = self._number
        self._times[self._number] = time, recorded
        self._number += 1
        while len(self._times) > _MOST_WAITING:
            self._times.popitem(last=False)
        try:
            frames = self._context.decode(packet)
        except av.error.FFmpegError as error:
            raise InputError("", f"FFmpeg cannot decode it: {error}", "the packet is damaged") from error
        yield from self._timed(frames)

    def end(self) -> Iterator[tuple[Any, float, int]]:
        """The frames that the decoder still holds."""
        import av

        try:
            frames = self._context.decode(None)
        except av.error.FFmpegError:
            frames = []
        yield from self._timed(frames)

    def _timed(self, frames: list[Any]) -> Iterator[tuple[Any, float, int]]:
        for frame in frames:
            told = self._times.pop(frame.pts, None)
            if told is not None:
                yield frame, *told


def _low_delay() -> int:
    from av.codec.context import Flags

    return Flags.low_delay
