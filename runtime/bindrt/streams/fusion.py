"""One vector from the newest windows of several streams on one clock."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from bindrt.errors import OptionError
from bindrt.notes import Notes
from bindrt.numeric import is_number, is_positive
from bindrt.streams.arrivals import LiveWindow, Vector


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


class Fusion:
    """Makes a joint window with each new window of a part, if no other part is missing or too old.

    Args:
        parts: their names; at least one.
        weights: of the parts' vectors in the sum; 1 where none is given.
        max_age: seconds by which a part may be older than the newest one.

    Raises:
        OptionError: an argument is out of range.

    >>> fusion = Fusion(["sound", "motion"], {"motion": 0.5}, max_age=1.0)
    >>> fusion.add("sound", LiveWindow(np.eye(4, dtype=np.float32)[0], 0.0, 2.0, arrived=2.0, done=2.1))
    >>> fusion.stats()["incomplete"]
    1
    """

    def __init__(self, parts: Iterable[str], weights: Mapping[str, float], max_age: float) -> None:
        names = list(parts)
        _check(names, weights, max_age)
        self._weights = {name: float(weights.get(name, 1.0)) for name in names}
        self._max_age = float(max_age)
        self._newest: dict[str, LiveWindow] = {}
        self._numbers = {"joined": 0, "incomplete": 0, "failed": 0}
        self._lock = threading.Lock()

    def add(self, name: str, window: LiveWindow) -> JointWindow | None:
        """The joint window with the newest window of a part; None if there is none. Threads may share it."""
        with self._lock:
            if window.error is not None:
                self._numbers["failed"] += 1
                return None
            self._newest[name] = window
            joint = self._joint(window)
            self._numbers["incomplete" if joint is None else "joined"] += 1
            return joint

    def stats(self) -> dict[str, int]:
        """Windows of the parts that were ``joined``, came while a part was missing or too old
        (``incomplete``), or ``failed``.
        """
        with self._lock:
            return dict(self._numbers)

    def _joint(self, last: LiveWindow) -> JointWindow | None:
        newest = {name: self._newest[name] for name in self._weights if name in self._newest}
        end = max(window.end for window in newest.values())
        ages = {name: end - window.end for name, window in newest.items()}
        if len(newest) < len(self._weights) or max(ages.values()) > self._max_age:
            return None
        total = np.sum([self._weights[name] * newest[name].vector for name in newest], axis=0)
        length = float(np.linalg.norm(total))
        if not length > 0:
            return None
        return JointWindow(
            (total / length).astype(np.float32),
            min(window.start for window in newest.values()),
            end,
            ages,
            last.arrived,
            last.done,
            sum(window.dropped for window in newest.values()),
            {f"{name}.{key}": value for name in newest for key, value in newest[name].notes.items()},
        )


def _check(parts: list[str], weights: Mapping[str, float], max_age: float) -> None:
    for name, weight in weights.items():
        if name not in parts:
            raise OptionError(f"weights[{name!r}]", "no such stream", f"one of {', '.join(parts)}")
        if not is_number(weight) or weight < 0:
            raise OptionError(f"weights[{name!r}]={weight!r}", "not a weight", "give a number of at least 0")
    if not any(weights.get(name, 1.0) > 0 for name in parts):
        raise OptionError("weights", "all are 0", "give one above 0")
    if not is_positive(max_age):
        raise OptionError(f"max_age={max_age!r}", "not a time", "give a number of seconds above 0")
