"""Finds which packets of a video must be decoded to get some of its frames."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bindrt.arrays import Array

_ROUNDING = 1e-6  # of a frame: 0.28 s x 25 frames a second is 7.000000000000001
_FARTHEST = 64  # places by which the order of showing may differ from that of packets; codecs allow 16 frames


@dataclass
class PacketTable:
    """A video stream's packets in the order of decoding.

    Attributes:
        times: each packet's presentation time, in the stream's own units.
        keys: positions of the packets that start a group of pictures (key frames).
        sizes: each packet's size in bytes.
        reliable: whether every packet has a time and is to be shown.
        reordered: whether the times have another order than the packets.
    """

    times: array[int] = field(default_factory=lambda: array("q"))
    keys: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    reliable: bool = True
    reordered: bool = False

    def add(self, time: int | None, key: bool, shown: bool, size: int = 0) -> None:
        """Appends a packet."""
        if key:
            self.keys.append(len(self.times))
        if time is not None and self.times and time < self.times[-1]:
            self.reordered = True
        self.times.append(0 if time is None else time)
        self.sizes.append(size)
        self.reliable = self.reliable and time is not None and shown

    def shown(self) -> Array | None:
        """Positions of the packets in the order in which they are shown; None if the times do not tell it.

        Two recordings in one file may begin at the same time: their packets would be mixed.
        """
        if not self.reliable:
            return None
        moments = np.frombuffer(self.times, np.int64)
        shown = np.argsort(moments, kind="stable")
        if (np.diff(moments[shown]) == 0).any():
            return None
        farthest = np.abs(shown - np.arange(len(shown))).max(initial=0)
        return None if farthest > _FARTHEST else shown

    def between(self, start: float, end: float | None, tick: float) -> range | None:
        """As :func:`frames_between`, by the frames' own times; None if they do not tell.

        Args:
            tick: seconds of one unit of the times. They count from the first frame.
        """
        if (shown := self.shown()) is None:
            return None
        moments = np.frombuffer(self.times, np.int64)[shown]
        seconds = (moments - moments[0]) * tick
        slack = _ROUNDING * tick
        first = int(np.searchsorted(seconds, start - slack))
        return range(first, len(seconds) if end is None else int(np.searchsorted(seconds, end - slack)))

    def position(self, time: int | None) -> int | None:
        """The position of the packet with that time; None if there is not exactly one."""
        if time is None:
            return None
        found = np.flatnonzero(np.frombuffer(self.times, np.int64) == time)
        return int(found[0]) if len(found) == 1 else None


def frames_between(start: float, end: float | None, fps: float, frames: int) -> range:
    """The frames that are shown from ``start`` to before ``end``, in seconds; None stands for the end.

    >>> frames_between(0.5, 1.0, 10, 100)
    range(5, 10)
    """
    first = min(math.ceil(start * fps - _ROUNDING), frames)
    return range(first, frames if end is None else min(math.ceil(end * fps - _ROUNDING), frames))


@dataclass(frozen=True)
class DecodePlan:
    """What to decode.

    Attributes:
        index: the index of each wanted frame, by its presentation time.
        packets: positions of the wanted frames' packets.
        runs: ranges of packets, each starting with a key frame. The decoder is flushed after each.
        short: whether a run ends with the last packet that is wanted, not with its group.
    """

    index: dict[int, int]
    packets: frozenset[int]
    runs: list[range]
    short: bool


def plan_decoding(table: PacketTable, wanted: Sequence[int], short: bool = True) -> DecodePlan | None:
    """The packets from each key frame to the last ``wanted`` frame of its group, or None.

    In the order of decoding a frame never refers to a later one, so the rest of the group is not needed.
    Frames that are shown before their group's key frame may refer to the group before, which is then added.

    Args:
        wanted: indices of frames, counted in the order in which they are shown.
        short: False plans whole groups.

    Returns:
        None if the packets' times are not reliable.
    """
    times, keys = table.times, table.keys
    if not keys or keys[0] != 0 or (shown := table.shown()) is None:
        return None
    ends = [*keys[1:], len(times)]
    needed: dict[int, int] = {}  # by group: the packet before which it may end
    index: dict[int, int] = {}
    packets = [int(shown[frame]) for frame in wanted]
    for frame, packet in zip(wanted, packets, strict=True):
        group = bisect_right(keys, packet) - 1
        needed[group] = max(needed.get(group, 0), packet + 1 if short else ends[group])
        if times[packet] < times[keys[group]] and group > 0:
            needed[group - 1] = ends[group - 1]
        index[times[packet]] = frame
    return DecodePlan(index, frozenset(packets), _joined(table, needed), short)


def _joined(table: PacketTable, groups: dict[int, int]) -> list[range]:
    """The groups as ranges of packets; groups that follow each other become one range."""
    runs: list[range] = []
    for group, end in sorted(groups.items()):
        if runs and runs[-1].stop == table.keys[group]:
            runs[-1] = range(runs[-1].start, end)
        else:
            runs.append(range(table.keys[group], end))
    return runs
