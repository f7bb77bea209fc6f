"""Decodes a video from its beginning, frame after frame; also past damaged packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bindrt.sources.container import Refused, packets_of
from bindrt.wanted import require_wanted

_HOPELESS = 10_000  # packets that are refused one after the other: no frame will come of the rest


@dataclass
class Decoding:
    """The frames of a stream in the order in which they are shown.

    Attributes:
        media: the container, at its beginning.
        stream: the stream in it.
        tolerant: packets that the decoder refuses are left out; else the frames end at the first one.
        lost: how many it has refused so far.
        said: what it said about the last of them.
    """

    media: Any
    stream: Any
    tolerant: bool
    lost: int = 0
    said: str = ""

    def frames(self) -> Iterator[Any]:
        """Decodes to the end of the file, or to where nothing can be decoded any more."""
        lost_before, refused = 0, Refused()
        for packet in packets_of(self.media, self.stream, refused=refused):
            require_wanted()
            self.lost, refused.count = self.lost + refused.count, 0
            if packet.size and (frames := self._decoded(packet)):
                lost_before = self.lost
                yield from frames
            if (self.lost and not self.tolerant) or self.lost - lost_before >= _HOPELESS:
                return
        yield from self._decoded(None)

    def _decoded(self, packet: Any) -> list[Any]:
        import av

        try:
            return list(self.stream.codec_context.decode(packet))
        except av.FFmpegError as error:
            self.lost, self.said = self.lost + 1, error.strerror or type(error).__name__
            return []


@dataclass
class Placing:
    """Finds the frames for the wanted places; where one was lost, the frame before stands in for it.

    Attributes:
        wanted: indices of frames, rising.
        index: the index of each frame by its time; None where frames are only counted.
        replaced: the places in which another frame stands.
    """

    wanted: Sequence[int]
    index: dict[int, int] | None
    decoded: int = 0
    replaced: set[int] = field(default_factory=set)

    def place(self, frames: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """The place and the frame for each wanted place; without times the last places may stay empty."""
        pending, before = list(self.wanted), None
        for frame in frames:
            at = self.decoded if self.index is None else self.index.get(frame.pts)
            self.decoded += 1
            if at is None:
                continue
            while pending and pending[0] < at:
                self.replaced.add(pending[0])
                yield pending.pop(0), frame if before is None else before
            if pending and pending[0] == at:
                yield pending.pop(0), frame
            if not pending:
                return
            before = frame
        if self.index is not None and before is not None:
            self.replaced.update(pending)
            for at in pending:
                yield at, before
