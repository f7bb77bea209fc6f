"""One name's events: a small machine that is fed a score a window."""

from __future__ import annotations

from dataclasses import dataclass

from bindrt.monitoring.event import Event

#: Seconds by which times may miss each other through rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Rule:
    """When an event begins, goes on, counts and may come again.

    Attributes:
        on: the score with which an event begins.
        off: the score below which it ends.
        hold: seconds that it must last; a shorter one is none.
        cooldown: seconds after an event in which no other of its name begins.
    """

    on: float
    off: float
    hold: float
    cooldown: float


@dataclass(frozen=True)
class Span:
    """The piece of time that a window stands for.

    Attributes:
        start: where it begins: half way from the middle of the window before.
        middle: the middle of the window.
    """

    start: float
    middle: float


class Track:
    """The events of one name.

    ``push`` takes each window's span and score, ``close`` where the time ends that the last one stands for.
    """

    def __init__(self, name: str, rule: Rule) -> None:
        self._name = name
        self._rule = rule
        self._open: Event | None = None
        self._counts = False
        self._rests_until = float("-inf")

    @property
    def active(self) -> Event | None:
        """The event that goes on, if it has lasted long enough to be one."""
        return self._open if self._counts else None

    def push(self, span: Span, score: float) -> tuple[Event | None, Event | None]:
        """Takes the next window.

        Returns:
            The event that it ends, and the event that with it has lasted long enough to be one.
        """
        if self._open is not None and score >= self._rule.off:
            return None, self._continue(span, score)
        ended = self.close(span.start)
        if score >= self._rule.on and span.start >= self._rests_until - _ROUNDING:
            self._open = Event(self._name, span.start, span.middle, span.middle, score)
            return ended, self._begun()
        return ended, None

    def close(self, end: float) -> Event | None:
        """Ends what goes on at ``end``; the event, if it is one."""
        found, self._open, self._counts = self._open, None, False
        if found is None or not self._is_long(found.start, end):
            return None
        self._rests_until = end + self._rule.cooldown
        return Event(self._name, found.start, end, found.peak, found.score)

    def anew(self) -> Track:
        """A track of the same name and rule, on which nothing has happened."""
        return Track(self._name, self._rule)

    def forget(self) -> None:
        """Forgets how long it rests, since the clock began anew."""
        self._rests_until = float("-inf")

    def _continue(self, span: Span, score: float) -> Event | None:
        assert self._open is not None
        best = (span.middle, score) if score > self._open.score else (self._open.peak, self._open.score)
        self._open = Event(self._name, self._open.start, span.middle, *best)
        return self._begun()

    def _begun(self) -> Event | None:
        assert self._open is not None
        if self._counts or not self._is_long(self._open.start, self._open.end):
            return None
        self._counts = True
        return self._open

    def _is_long(self, start: float, end: float) -> bool:
        return end - start >= self._rule.hold - _ROUNDING
