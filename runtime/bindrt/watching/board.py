"""What the page shows now, and what is new in it since a viewer last looked."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from bindrt.limits import Limits
from bindrt.monitoring import Event
from bindrt.watching.card import Card
from bindrt.watching.previews import preview_of

#: What a board holds at most; what is older, or more, is left out.
EVENTS, STREAMS = 1000, 64


class Told(NamedTuple):
    """An event of a stream; ``number`` counts everything that the board has taken."""

    number: int
    stream: int
    event: Event


class Board:
    """The state that whoever feeds the page and all its viewers share.

    Nothing is queued for a viewer. Each looks when it can and takes what is new since it last did, so one
    that is slow misses what has become too old, and holds up nobody.
    """

    def __init__(self, title: str, limits: Limits) -> None:
        self._title, self._limits = title, limits
        self._cards: dict[str, Card] = {}
        self._left_out: set[str] = set()
        self._events: deque[Told] = deque(maxlen=EVENTS)
        self._notes: list[str] = []
        self._ended = False
        self._number = 0
        self._changed = threading.Condition()

    def add(self, stream: str, window: Any, scores: Mapping[str, float], active: Collection[str]) -> None:
        """The newest window of a stream."""
        with self._changed:
            card = self._card(stream)
            if card is not None:
                card.take(window, scores, active, self._next())

    def add_event(self, stream: str, event: Event) -> None:
        with self._changed:
            card = self._card(stream)
            if card is not None:
                self._events.append(Told(self._next(), card.number, event))

    def show(self, stream: str, item: Any) -> None:
        """What a sensor gave just now.

        Raises:
            InputError: it cannot be shown.
        """
        kind = preview_of(item)
        with self._changed:
            card = self._card(stream)
        if card is not None and card.show(kind, item):
            with self._changed:
                self._next()

    def rest(self, stream: str) -> None:
        """No event of a stream goes on."""
        with self._changed:
            if stream in self._cards:
                self._cards[stream].rest()
                self._next()

    def note(self, notes: Iterable[str]) -> None:
        """What people should know."""
        with self._changed:
            self._notes += map(str, notes)
            self._next()

    def end(self) -> None:
        """Nothing more comes."""
        with self._changed:
            for card in self._cards.values():
                card.rest()
            self._ended = True
            self._next()

    def wake(self) -> None:
        """Wakes all who wait."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float, is_over: Callable[[], bool]) -> bool:
        """Waits until there is something newer than number ``seen``; False if there is not."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > seen or is_over(), seconds)
            return self._number > seen

    def since(self, seen: int) -> tuple[int, dict[str, Any]]:
        """The newest number, and the message for a viewer who has seen everything up to ``seen``.

        -1 is who has seen nothing: that message begins the page anew.
        """
        with self._changed:
            message = {
                "reset": seen < 0,
                "title": self._title,
                "ended": self._ended,
                "notes": self._said(),
                "streams": [card.as_dict(seen) for card in self._cards.values()],
                "events": [_row(told) for told in _newer(self._events, seen)],
            }
            return self._number, message

    def picture(self, number: int) -> tuple[str, bytes] | None:
        """The current picture of a stream, by its number: its type and its bytes.

        Raises:
            Error: it cannot be made into a picture.
        """
        with self._changed:
            card = next((card for card in self._cards.values() if card.number == number), None)
        return None if card is None else card.picture()

    def _card(self, stream: str) -> Card | None:
        """The card of a stream; None if there are too many."""
        card = self._cards.get(stream)
        if card is None and len(self._cards) < STREAMS:
            card = self._cards[stream] = Card(stream, len(self._cards), self._limits)
        elif card is None and len(self._left_out) < EVENTS:
            self._left_out.add(stream)
        return card

    def _next(self) -> int:
        self._number += 1
        self._changed.notify_all()
        return self._number

    def _said(self) -> list[str]:
        more = [f"{len(self._left_out)} further streams are not shown"] if self._left_out else []
        return self._notes + more


def _newer(events: deque[Told], seen: int) -> list[Told]:
    found: list[Told] = []
    for told in reversed(events):
        if told.number <= seen:
            break
        found.append(told)
    return found[::-1]


def _row(told: Told) -> list[Any]:
    event = told.event
    numbers = (event.start, event.end, event.peak, event.score)
    return [told.stream, event.name, *(x if math.isfinite(x) else None for x in numbers)]
