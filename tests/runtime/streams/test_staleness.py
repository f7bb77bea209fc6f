"""Ages of vectors, and the drift of a sensor's clock."""

from __future__ import annotations

import numpy as np
import pytest

from bindrt.streams.staleness import ClockDrift, Staleness


def test_percentiles_are_of_the_recent_ones_and_the_largest_of_all() -> None:
    ages = Staleness()
    assert ages.stats() == {"count": 0}
    for seconds in [9.0, *np.linspace(0, 1, 1024)]:
        ages.add(float(seconds))
    told = ages.stats()
    assert (told["count"], told["last"], told["max"]) == (1025, 1.0, 9.0)
    assert told["p50"] == pytest.approx(0.5)
    assert told["p99"] == pytest.approx(0.99)


@pytest.mark.parametrize("gain", [0.0, 100e-6, -50e-6])
def test_drift_is_found_through_uneven_delays(gain: float) -> None:
    drift, random = ClockDrift(), np.random.default_rng(2)
    seconds = 3600.0
    for real in np.arange(0.0, seconds, 0.1):
        drift.add(1e9 + real * (1 + gain), 500.0 + real + random.exponential(0.02))
    assert drift.seconds == pytest.approx(gain * seconds, abs=0.01)
