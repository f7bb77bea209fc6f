"""Tells a video's decoder of which packets nobody needs the frame, before it decodes them.

A frame to which no other refers can be left out. Whether a frame is needed follows from its time among those
of all frames, in the order in which they are shown. Packets come in another order: they wait, still packed,
until the frames before and behind them are known.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from bindrt.sources.formats import Format

REORDERED = 16  # packets that may come after one that is shown later: H.264 keeps no more frames
_TIMED = ("mov", "matroska")  # containers that hold the time at which each frame is shown


class Needs(Protocol):
    """Says which frames are needed. It is told the times of all, in the order in which they are shown."""

    def add(self, time: float) -> list[bool]:
        """The answers that are certain now, for the frames that have none yet, from the first of them on."""

    def finish(self) -> list[bool]:
        """The answers for the rest: no frame follows."""


class Clock(Protocol):
    """Gives frames their seconds, in the order in which they are shown."""

    def time(self, stamp: int | None) -> float: ...


@dataclass(eq=False, slots=True)
class _Planned:
    """A packet of one frame; ``is_needed`` is None while that is not known."""

    packet: Any
    pts: int
    is_needed: bool | None = None


def may_be_sparse(stream: Any, file_format: Format) -> bool:
    """Whether the decoder knows which frames no other refers to, and the container when each is shown.

    Only H.264 marks such frames: no other frame is predicted from a frame without the mark.
    """
    return stream.codec_context.name == "h264" and file_format.name in _TIMED


class Sparse:
    """The packets of a video, each with whether its frame is needed; and the frames that were left out.

    All are needed until a first frame was decoded, and again once anything is unusual: a packet without a
    time, damage, fields, or frames in another order than their times.

    Args:
        needs: which frames are needed; None: all.
        clock: for the times that ``needs`` is told; another one than that of the decoded frames.
    """

    def __init__(self, needs: Needs | None, clock: Clock) -> None:
        self._needs = needs  # None also once it has stopped
        self._clock = clock
        self._is_sure = False  # the first frame was decoded, and was the expected one
        self._coming: deque[_Planned] = deque()  # in the order of decoding
        self._unshown: list[tuple[int, int, _Planned]] = []  # a heap by time
        self._undecided: deque[_Planned] = deque()  # in the order of showing
        self._awaited: deque[_Planned] = deque()  # the same, and those whose frames have not come yet
        self._before: int | None = None  # the time of the last that was put there
        self._count = 0

    def packets(self, packets: Iterable[Any]) -> Iterator[tuple[Any, bool]]:
        """The packets in their order, and whether their frames are needed; then what ended them is raised."""
        failure: Exception | None = None
        coming = iter(packets)
        while failure is None:
            try:
                packet = next(coming)
            except StopIteration:
                break
            except Exception as error:  # it belongs behind the packets before it
                failure = error
            else:
                yield from self._add(packet)
        if self._needs is not None:
            self._show(0)
        if self._needs is not None:
            self._decide(self._needs.finish())
        yield from self._ready()
        if failure is not None:
            raise failure

    def left_out_before(self, frame: Any) -> list[int]:
        """The times of the frames that were left out and are shown before the one that was decoded next."""
        if self._needs is None and not self._awaited:
            return []
        if frame.pts is None or frame.is_corrupt or frame.interlaced_frame:
            self.stop()
        if frame.pts is None:
            return []
        passed = []
        while self._awaited and self._awaited[0].pts < frame.pts:
            passed.append(self._awaited.popleft())
        left_out = [each.pts for each in passed if each.is_needed is False]
        if self._awaited and self._awaited[0].pts == frame.pts and len(left_out) == len(passed):
            self._is_sure = True
        else:
            self.stop()
        if self._awaited and self._awaited[0].pts == frame.pts:
            self._awaited.popleft()
        return left_out

    def left_out_at_end(self) -> list[int]:
        """The times of those behind the last frame that was decoded."""
        left_out = [each.pts for each in self._awaited if each.is_needed is False]
        self._awaited.clear()
        return left_out

    def stop(self) -> None:
        """From now on all frames are needed."""
        self._needs = None

    def _add(self, packet: Any) -> Iterator[tuple[Any, bool]]:
        if packet.pts is None or packet.is_discard or packet.is_corrupt:
            self.stop()
        planned = _Planned(packet, packet.pts)
        if self._needs is not None:
            self._count += 1
            heapq.heappush(self._unshown, (planned.pts, self._count, planned))
            self._show(REORDERED)
        self._coming.append(planned)
        yield from self._ready()

    def _show(self, most: int) -> None:
        """Puts packets into the order of showing, until at most so many are left out of it."""
        while len(self._unshown) > most and (needs := self._needs) is not None:
            pts, _, planned = heapq.heappop(self._unshown)
            if self._before is not None and pts <= self._before:
                self.stop()
                return
            self._before = pts
            self._undecided.append(planned)
            self._awaited.append(planned)
            self._decide(needs.add(self._clock.time(pts)))

    def _decide(self, answers: list[bool]) -> None:
        for is_needed in answers:
            self._undecided.popleft().is_needed = is_needed or not self._is_sure

    def _ready(self) -> Iterator[tuple[Any, bool]]:
        """The packets that need not wait any longer."""
        while self._coming and (self._needs is None or self._coming[0].is_needed is not None):
            planned = self._coming.popleft()
            if self._needs is None:
                planned.is_needed = True
            yield planned.packet, planned.is_needed is not False
