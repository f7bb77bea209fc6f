"""Which packets of a video must be decoded for some of its frames: whole groups of pictures, no more."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np


@dataclass
class PacketTable:
    """A video stream's packets in decoding order.

    Attributes:
        times: their presentation times, in the stream's own units.
        keys: positions of those that start a group of pictures.
        reliable: whether every packet has a time of its own and is shown.
    """

    times: array[int] = field(default_factory=lambda: array("q"))
    keys: array[int] = field(default_factory=lambda: array("q"))
    reliable: bool = True

    def add(self, time: int | None, key: bool, shown: bool) -> None:
        """Appends a packet."""
        if key:
            self.keys.append(len(self.times))
        self.times.append(0 if time is None else time)
        self.reliable = self.reliable and time is not None and shown


@dataclass(frozen=True)
class Plan:
    """What to decode.

    Attributes:
        index: the wanted frames' indices by presentation time.
        runs: ranges of packets, each starting with a key; the decoder is emptied between them.
    """

    index: dict[int, int]
    runs: list[range]


def plan(table: PacketTable, wanted: Iterable[int]) -> Plan | None:
    """The groups that the ``wanted`` frames are in, or None where times cannot be relied on.

    Pictures of a group that are shown before its key may refer to the group before: that is added.
    """
    times, keys = table.times, table.keys
    if not table.reliable or not keys or keys[0] != 0:
        return None
    moments = np.frombuffer(times, np.int64)
    shown = np.argsort(moments, kind="stable")
    if (np.diff(moments[shown]) == 0).any():
        return None
    needed: set[int] = set()
    index: dict[int, int] = {}
    for frame in wanted:
        packet = int(shown[frame])
        group = bisect_right(keys, packet) - 1
        needed.add(group)
        if times[packet] < times[keys[group]] and group > 0:
            needed.add(group - 1)
        index[times[packet]] = frame
    return Plan(index, _joined(table, sorted(needed)))


def _joined(table: PacketTable, groups: list[int]) -> list[range]:
    """Ranges of packets of groups; neighbours become one range."""
    ends = [*table.keys[1:], len(table.times)]
    runs: list[range] = []
    for group in groups:
        if runs and runs[-1].stop == table.keys[group]:
            runs[-1] = range(runs[-1].start, ends[group])
        else:
            runs.append(range(table.keys[group], ends[group]))
    return runs
