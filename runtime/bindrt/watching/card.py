"""One stream on the board."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from bindrt.limits import Limits
from bindrt.watching.previews import Preview

#: The strip chart: seconds, and seconds from a point to the next, so that a short hop makes no more of them.
MINUTE, APART = 60.0, 0.1
#: Names whose scores are shown.
NAMES = 100


class Point(NamedTuple):
    """The scores of a window in the strip chart; ``number`` is the board's."""

    number: int
    time: float
    scores: list[float | None]


class Card:
    """What is known of one stream. Its board's lock guards all but the preview, which has its own."""

    def __init__(self, name: str, number: int, limits: Limits) -> None:
        self.number = number
        self._limits = limits
        self._name = name
        self._modality = ""
        self._names: tuple[str, ...] = ()
        self._scores: list[float | None] = []
        self._active: list[int] = []
        self._points: deque[Point] = deque(maxlen=round(MINUTE / APART))
        self._numbers: dict[str, Any] = {
            "windows": 0,
            "failed": 0,
            "dropped": 0,
            "time": None,
            "latency": None,
        }
        self._problem = ""
        self._preview: Preview | None = None

    def take(self, window: Any, scores: Mapping[str, float], active: Collection[str], number: int) -> None:
        """The newest window: its times, its scores, the names of which an event goes on."""
        self._modality = getattr(window, "modality", self._modality)
        time, dropped = float(window.end), getattr(window, "dropped", 0)
        self._numbers |= {"time": _number(time), "dropped": int(dropped), "latency": _latency(window)}
        error = getattr(window, "error", None)
        self._numbers["failed" if error is not None else "windows"] += 1
        if error is not None:
            self._problem = str(error)[:200]
            return
        if tuple(scores) != self._names:
            self._names = tuple(scores)
            self._points.clear()
        self._scores = [_number(score) for score in list(scores.values())[:NAMES]]
        self._active = [i for i, name in enumerate(self._names[:NAMES]) if name in active]
        self._add_point(Point(number, time, self._scores))

    def rest(self) -> None:
        """No event goes on."""
        self._active = []

    def show(self, kind: type[Preview], item: Any) -> bool:
        """Takes what the sensor gave; whether there is something new to look at."""
        if type(self._preview) is not kind:
            self._preview = kind(self._limits)
        return self._preview.take(item)

    def picture(self) -> tuple[str, bytes] | None:
        """What the sensor gave, as bytes for a browser, and their type."""
        return None if self._preview is None else self._preview.render()

    def as_dict(self, seen: int) -> dict[str, Any]:
        """For a viewer who has seen everything up to a number."""
        return {
            "id": self.number,
            "name": self._name,
            "modality": self._modality,
            "names": self._names[:NAMES],
            "left_out": max(0, len(self._names) - NAMES),
            "scores": self._scores,
            "active": self._active,
            "points": [[p.time, p.scores] for p in self._newer(seen)],
            "picture": 0 if self._preview is None else self._preview.version,
            "shows": "" if self._preview is None else self._preview.kind,
            "problem": self._problem,
            **self._numbers,
        }

    def _add_point(self, point: Point) -> None:
        if not self._names or not math.isfinite(point.time):
            return
        last = self._points[-1].time if self._points else -math.inf
        if point.time < last:  # the clock began anew
            self._points.clear()
        elif point.time < last + APART:
            return
        while self._points and self._points[0].time < point.time - MINUTE:
            self._points.popleft()
        self._points.append(point)

    def _newer(self, seen: int) -> list[Point]:
        found: list[Point] = []
        for point in reversed(self._points):
            if point.number <= seen:
                break
            found.append(point)
        return found[::-1]


def _latency(window: Any) -> float | None:
    """Seconds from the last piece of a window to its vector, where the window knows both."""
    arrived, done = getattr(window, "arrived", 0.0), getattr(window, "done", 0.0)
    return round(done - arrived, 4) if arrived and done else None


def _number(value: float) -> float | None:
    """A number as JSON has it."""
    return round(float(value), 4) if math.isfinite(value) else None
