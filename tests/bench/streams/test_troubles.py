"""The clocks of ``bench streams --part day``: what goes wrong with them, and which windows have begun."""

from __future__ import annotations

import math

import numpy as np

from bench.streams.troubles import KINDS, STEP, SensorClock


def test_everything_goes_wrong_and_the_same_each_time() -> None:
    clock = SensorClock(3, 2.0, 5.0)
    pieces = list(clock.pieces(40_000))
    assert min(clock.troubles.values()) >= 5
    assert set(clock.troubles) == set(KINDS)
    assert list(SensorClock(3, 2.0, 5.0).pieces(40_000)) == pieces
    numbers = [piece.number for piece in pieces]
    twice = len(numbers) - len(set(numbers))
    assert twice == clock.troubles["duplicate"] + clock.troubles["stray"]
    assert sum(piece.cut > 0 for piece in pieces) == clock.troubles["small gap"]


def test_windows_that_began_in_each_run_of_the_clock() -> None:
    clock = SensorClock(1, 2.0, 5.0)
    pieces = [piece for piece in clock.pieces(20_000) if piece.cut == 0]
    times = np.array([piece.time for piece in pieces])
    back = np.flatnonzero(np.diff(times) < -15)  # of the stray pieces each is back for 10 s
    runs = np.split(times, back + 1)
    assert len(runs) == clock.troubles["jump back"] + clock.troubles["restart"] + 1
    begun = [math.ceil((run.max() + STEP - run[0]) / 5.0) for run in runs]
    assert clock.begun == sum(begun[:-1])
    assert clock.expected() - clock.begun in (begun[-1], begun[-1] - 1)
