"""What the workers of one server know of each other: whether they can answer, and how often they began."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

#: Workers begin with nothing of the supervisor's but what they are given: no thread and no lock is copied.
PROCESSES = multiprocessing.get_context("spawn")


class State(IntEnum):
    """What a worker tells the others of itself."""

    GONE = 0  # there is no such process now
    COLD = 1  # it loads
    READY = 2
    STOPPED = 3  # an engine has work and does not go on, or a model is closed


@dataclass
class Board:
    """Numbers in memory that the supervisor and all workers share; each is written by one process at a time.

    Attributes:
        count: of workers; they are numbered from 0.
        folder: where each worker answers the others; a private one.
        states: a :class:`State` for each.
        starts: how often each was started.
    """

    count: int
    folder: str
    states: Any = field(init=False)
    starts: Any = field(init=False)

    def __post_init__(self) -> None:
        self.states = PROCESSES.RawArray("B", self.count)
        self.starts = PROCESSES.RawArray("L", self.count)

    def stopped(self) -> int | None:
        """A worker that has stopped; None: there is none."""
        return self._first(State.STOPPED)

    def ready(self) -> int | None:
        """A worker that can answer; None: there is none."""
        return self._first(State.READY)

    def _first(self, state: State) -> int | None:
        return next((number for number, found in enumerate(self.states) if found == state), None)
