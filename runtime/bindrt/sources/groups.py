"""Which packets of a video must be decoded for some of its frames."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass
class PacketTable:
    """A video stream's packets in decoding order.

    Attributes:
        times: their presentation times, in the stream's own units.
        keys: positions of those that start a group of pictures.
        sizes: their bytes.
        reliable: whether every packet has a time of its own and is shown.
    """

    times: array[int] = field(default_factory=lambda: array("q"))
    keys: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    reliable: bool = True

    def add(self, time: int | None, key: bool, shown: bool, size: int = 0) -> None:
        """Appends a packet."""
        if key:
            self.keys.append(len(self.times))
        self.times.append(0 if time is None else time)
        self.sizes.append(size)
        self.reliable = self.reliable and time is not None and shown

    def position(self, time: int | None) -> int | None:
        """Where the packet of that time is."""
        if time is None:
            return None
        found = np.flatnonzero(np.frombuffer(self.times, np.int64) == time)
        return int(found[0]) if len(found) == 1 else None


@dataclass(frozen=True)
class Plan:
    """What to decode.

    Attributes:
        index: the wanted frames' indices by presentation time.
        packets: positions of the wanted frames' packets.
        runs: ranges of packets, each starting with a key; the decoder is emptied between them.
        short: whether runs end with the last packet that somebody wants, not with the group.
    """

    index: dict[int, int]
    packets: frozenset[int]
    runs: list[range]
    short: bool


def plan(table: PacketTable, wanted: Sequence[int], short: bool = True) -> Plan | None:
    """The packets from each key to the last of the ``wanted`` frames that follow it, in decoding order:
    a picture refers to none behind it. None where times cannot be relied on.

    Pictures of a group that are shown before its key may refer to the group before: that is added.
    Without ``short`` whole groups are planned.
    """
    times, keys = table.times, table.keys
    if not table.reliable or not keys or keys[0] != 0:
        return None
    moments = np.frombuffer(times, np.int64)
    shown = np.argsort(moments, kind="stable")
    if (np.diff(moments[shown]) == 0).any():
        return None
    ends = [*keys[1:], len(times)]
    needed: dict[int, int] = {}  # groups, each with the packet before which it may end
    index: dict[int, int] = {}
    packets = [int(shown[frame]) for frame in wanted]
    for frame, packet in zip(wanted, packets, strict=True):
        group = bisect_right(keys, packet) - 1
        needed[group] = max(needed.get(group, 0), packet + 1 if short else ends[group])
        if times[packet] < times[keys[group]] and group > 0:
            needed[group - 1] = ends[group - 1]
        index[times[packet]] = frame
    return Plan(index, frozenset(packets), _joined(table, needed), short)


def _joined(table: PacketTable, groups: dict[int, int]) -> list[range]:
    """Ranges of packets of groups; neighbours become one range."""
    runs: list[range] = []
    for group, end in sorted(groups.items()):
        if runs and runs[-1].stop == table.keys[group]:
            runs[-1] = range(runs[-1].start, end)
        else:
            runs.append(range(table.keys[group], end))
    return runs
