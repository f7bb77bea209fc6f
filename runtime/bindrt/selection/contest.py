"""Engines against one another: each newcomer runs in turns with the best so far.

In turns, since a machine may be busier at one moment than at another: no time is compared with one that was
measured before. At most two engines are in memory.
"""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EncoderInfo, EngineFiles
from bindrt.ending import engine_gate
from bindrt.engines import EngineSettings
from bindrt.errors import Error
from bindrt.modalities.steps.constants import TEXT_END, TEXT_START
from bindrt.selection.opening import open_engine

#: Turns of engines: so many at least. Where the fastest is not faster than the others by so many times, more
#: follow, until they took so many seconds, up to a most.
LEAST_TURNS, CLEAR, SECONDS, MOST_TURNS = 5, 1.15, 3.0, 25
#: One that is clearly the fastest won so many of the turns.
MOST_OF = 0.8
#: A newcomer must be so many times as fast as the best so far, which comes first because it starts sooner.
GAIN = 1.02
#: One that needs so many times as long in its first run has lost.
HOPELESS = 1.5
#: Text is measured with a caption of so many tokens, start and end among them.
CAPTION = 10


@dataclass
class _Best:
    name: str
    run: Callable[[], float]


class Contest:
    """Finds the fastest engine for one item.

    Attributes:
        seconds: by name, what one item took: the median of the engine's last turns.
        problems: by name, the error of an engine that does not run.
    """

    def __init__(self, bundle: Bundle, settings: EngineSettings) -> None:
        self.seconds: dict[str, float] = {}
        self.problems: dict[str, Error] = {}
        self._bundle = bundle
        self._settings = settings
        self._best: _Best | None = None

    @property
    def best(self) -> str | None:
        """The name of the fastest; None if none runs."""
        return None if self._best is None else self._best.name

    def run_best(self) -> float:
        """Let the fastest compute one item, for how many seconds; it stays open as long as the contest."""
        assert self._best is not None
        return self._best.run()

    def enter(self, name: str, files: EngineFiles) -> None:
        """Measure an engine, and keep the faster one."""
        try:
            run = self._opened(files)
            run()  # the first call is slower: memory is reserved, code is made
            self._meet(_Best(name, run))
        except Error as error:
            self.seconds.pop(name, None)
            self.problems[name] = error

    def _opened(self, files: EngineFiles) -> Callable[[], float]:
        """Open an engine; what is returned computes one item, and says how many seconds it took."""
        inputs = one_item(self._bundle.manifest.encoders[files.encoder])
        out = np.empty((1, self._bundle.manifest.embed_dim), np.float32)
        engine = open_engine(self._bundle, files, self._settings)

        def run() -> float:
            start = perf_counter()
            with engine_gate:
                engine.run(inputs, out)
            return perf_counter() - start

        return run

    def _meet(self, new: _Best) -> None:
        best = self._best
        if best is None:
            self.seconds[new.name] = new.run()
        else:
            if self._hopeless(new, best):
                return
            self.seconds[best.name], self.seconds[new.name] = in_turns(best.run, new.run)
            if self.seconds[best.name] <= GAIN * self.seconds[new.name]:
                return
        self._best = new

    def _hopeless(self, new: _Best, best: _Best) -> bool:
        """Whether an engine need not run any further; asked twice, since something may have disturbed it."""
        for _ in range(2):
            self.seconds[best.name], self.seconds[new.name] = best.run(), new.run()
            if self.seconds[new.name] <= HOPELESS * self.seconds[best.name]:
                return False
        return True


def in_turns(*runs: Callable[[], float]) -> tuple[float, ...]:
    """The median seconds of each."""
    taken: list[list[float]] = [[] for _ in runs]
    for turn in range(1, MOST_TURNS + 1):
        for seconds, run in zip(taken, runs, strict=True):
            seconds.append(run())
        if turn >= LEAST_TURNS and (_is_clear(taken) or sum(map(sum, taken)) >= SECONDS):
            break
    return tuple(map(statistics.median, taken))


def _is_clear(taken: Sequence[Sequence[float]]) -> bool:
    """Whether one is clearly the fastest: by its median, and in most turns, since a median of few may err."""
    best = min(taken, key=statistics.median)
    others = [one for one in taken if one is not best]
    return all(
        statistics.median(one) > CLEAR * statistics.median(best)
        and sum(map(operator.lt, best, one)) >= MOST_OF * len(one)
        for one in others
    )


def one_item(encoder: EncoderInfo) -> np.ndarray[Any, Any]:
    if encoder.dtype == "int64":
        return np.array([[TEXT_START, *range(1000, 1000 + CAPTION - 2), TEXT_END]], np.int64)
    return np.full((1, *encoder.view), 0.5, encoder.dtype)
