"""Measuring engines without waiting: a clock that engines turn by what a test says that they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.engines import EngineSettings
from bindrt.errors import EngineError
from bindrt.selection import contest

#: Seconds of each run (the last one again and again), or what an engine says when it is opened.
Times = float | str | list[float]


def timed(
    monkeypatch: pytest.MonkeyPatch,
    times: Mapping[str, Times],
    busy: Callable[[float], float] = lambda now: 1.0,
) -> Callable[[], list[str]]:
    """Let measuring find these times; returns what tells which engines were opened.

    Args:
        times: by ``ENGINE PRECISION``, or by ``ENGINE`` for all its precisions.
        busy: how many times as long everything takes at a time of the clock, which begins at 0.
    """
    now = 0.0
    opened: list[str] = []

    class TimedEngine:
        def __init__(self, seconds: list[float]) -> None:
            self._left = seconds

        def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
            nonlocal now
            now += busy(now) * (self._left.pop(0) if len(self._left) > 1 else self._left[0])

    def open_engine(bundle: Bundle, files: EngineFiles, settings: EngineSettings) -> TimedEngine:
        name = f"{files.engine} {files.precision}"
        opened.append(name)
        found = times[name] if name in times else times[files.engine]
        if isinstance(found, str):
            raise EngineError("", found)
        return TimedEngine(list(found) if isinstance(found, list) else [found])

    monkeypatch.setattr(contest, "open_engine", open_engine)
    monkeypatch.setattr(contest, "perf_counter", lambda: now)
    return lambda: opened
