"""Several streams on one clock: one vector from the newest windows of all."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from bindrt.errors import OptionError
from bindrt.notes import Notes
from bindrt.numeric import is_number, is_positive
from bindrt.streams.arrivals import LiveWindow, Vector
from bindrt.streams.channel import Channel
from bindrt.streams.live import LiveStream

_MOST = 8  # joint windows that may wait to be read


@dataclass(frozen=True, eq=False)
class JointWindow:
    """The joint vector of several streams.

    Attributes:
        vector: float32 ``[D]``, of unit length: the weighted sum of the parts' vectors.
        start, end: from the earliest start to the latest end of the parts, in seconds.
        ages: seconds by which each part's end is before the latest end.
        arrived: when the last piece of the part that came last was pushed, by ``time.monotonic()``.
        done: when the part that came last was there.
        dropped: windows of all parts so far that have no vector.
        notes: those of the parts, by ``part.key``.

    >>> JointWindow(np.ones(4) / 2, 0.0, 2.0, {"audio": 0.0, "imu": 0.5}, 10.0, 10.1).ages["imu"]
    0.5
    """

    vector: Vector
    start: float
    end: float
    ages: Mapping[str, float]
    arrived: float
    done: float
    dropped: int = 0
    notes: Notes = field(default_factory=dict)


class Joined:
    """Joint vectors; :meth:`bindrt.Model.join` makes it. The results of its parts go to it alone."""

    def __init__(self, parts: Mapping[str, LiveStream], weights: Mapping[str, float], max_age: float) -> None:
        _check(parts, weights, max_age)
        self._parts, self._max_age = dict(parts), float(max_age)
        self._weights = {name: float(weights.get(name, 1.0)) for name in parts}
        self._newest: dict[str, LiveWindow] = {}
        self._results: Channel[JointWindow] = Channel(_MOST)
        self._lock = threading.Lock()
        self._numbers = {"joined": 0, "incomplete": 0, "failed": 0, "unread": 0}
        for name, stream in self._parts.items():
            stream.listen(partial(self._take, name), self._end_if_closed)

    def __iter__(self) -> Iterator[JointWindow]:
        """The joint windows as they come, until all parts are closed."""
        while (window := self._results.get()) is not None:
            yield window

    async def __aiter__(self) -> AsyncIterator[JointWindow]:
        """As :meth:`__iter__`, for asyncio."""
        while (window := await self._results.aget()) is not None:
            yield window

    def stats(self) -> dict[str, int]:
        """What became of the parts' windows so far.

        ``joined``; ``incomplete``: another part was missing or too old; ``failed``; and joint windows that
        were ``unread``: pushed out by newer ones.
        """
        with self._lock:
            return dict(self._numbers)

    def close(self, drain: bool = False) -> None:
        """Close all parts; see :meth:`LiveStream.close`."""
        for stream in self._parts.values():
            stream.close(drain)

    def __enter__(self) -> Joined:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(drain=kind is None)

    def _take(self, name: str, window: LiveWindow) -> None:
        with self._lock:
            if window.error is not None:
                self._numbers["failed"] += 1
                return
            self._newest[name] = window
            joint = self._joint(window)
            self._numbers["incomplete" if joint is None else "joined"] += 1
            if joint is not None:
                self._numbers["unread"] += self._results.put(joint)

    def _joint(self, last: LiveWindow) -> JointWindow | None:
        """The joint window, if every part is there and young enough."""
        newest = {name: self._newest[name] for name in self._parts if name in self._newest}  # in their order
        end = max(window.end for window in newest.values())
        ages = {name: end - window.end for name, window in newest.items()}
        if len(newest) < len(self._parts) or max(ages.values()) > self._max_age:
            return None
        total = np.sum([self._weights[name] * newest[name].vector for name in newest], axis=0)
        length = float(np.linalg.norm(total))
        if not length > 0:
            return None
        notes = {f"{name}.{key}": value for name in newest for key, value in newest[name].notes.items()}
        return JointWindow(
            (total / length).astype(np.float32),
            min(window.start for window in newest.values()),
            end,
            ages,
            last.arrived,
            last.done,
            sum(stream.dropped for stream in self._parts.values()),
            notes,
        )

    def _end_if_closed(self) -> None:
        if all(stream.closed for stream in self._parts.values()):
            self._results.end()


def _check(parts: Mapping[str, LiveStream], weights: Mapping[str, float], max_age: float) -> None:
    if not parts or not all(isinstance(stream, LiveStream) for stream in parts.values()):
        raise OptionError("join", "no live streams", 'give them by name: join({"audio": s, "imu": t})')
    for name, weight in weights.items():
        if name not in parts:
            raise OptionError(f"weights[{name!r}]", "no such stream", f"one of {', '.join(parts)}")
        if not is_number(weight) or weight < 0:
            raise OptionError(f"weights[{name!r}]={weight!r}", "not a weight", "give a number of at least 0")
    if not any(weights.get(name, 1.0) > 0 for name in parts):
        raise OptionError("weights", "all are 0", "give one above 0")
    if not is_positive(max_age):
        raise OptionError(f"max_age={max_age!r}", "not a time", "give a number of seconds above 0")
