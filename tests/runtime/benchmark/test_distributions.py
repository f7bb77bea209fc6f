"""Percentiles, spread and arrivals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindrt.benchmark.arrivals import poisson
from bindrt.benchmark.distributions import PERCENTILES, curve, latencies, percentile, spread

SECONDS = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=2500)


@given(SECONDS)
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float]) -> None:
    ordered = sorted(values)
    for percent in PERCENTILES:
        found = percentile(ordered, percent)
        if found is None:
            assert len(values) * (100 - percent) < 100
            continue
        assert found in values
        share = np.mean([v <= found for v in values])
        assert share >= percent / 100 - 1e-9
        assert np.mean([v < found for v in values]) < percent / 100  # the smallest such value


def test_a_percentile_of_too_few_values_is_not_told() -> None:
    assert percentile([1.0] * 99, 99) is None
    assert percentile(list(range(1, 101)), 99) == 99
    assert percentile(list(range(1, 1001)), 99.9) == 999
    assert percentile(list(range(1, 1000)), 99.9) is None
    found = latencies([3.0, 1.0, 2.0])
    assert found == {"count": 3, "mean": 2.0, "p50": 2.0, "p90": None, "p99": None, "p99.9": None, "max": 3.0}
    assert latencies([])["count"] == 0


@given(SECONDS)
def test_a_curve_falls_from_all_to_one(values: list[float]) -> None:
    points = curve(values)
    shares = [share for share, _ in points]
    assert shares == sorted(shares, reverse=True)
    assert points[0] == [1.0, min(values)]
    assert points[-1] == [pytest.approx(1 / len(values)), max(values)]
    for share, seconds in points:
        assert share <= np.mean([v >= seconds for v in values]) + 1e-9


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=9))
def test_spread(values: list[float]) -> None:
    found = spread(values)
    assert found["low"] <= found["median"] <= found["high"]
    assert found["runs"] == values


@given(st.floats(0.1, 1e4), st.integers(0, 2**31))
def test_arrivals_have_the_rate_and_no_memory(rate: float, seed: int) -> None:
    count = 4000
    arrivals = poisson(rate, count, ["image", "text"], seed)
    times = np.array([a.at for a in arrivals])
    gaps = np.diff(times, prepend=0)
    assert (gaps >= 0).all()
    # Mean and deviation of an exponential distribution are both 1/rate; five standard errors.
    assert gaps.mean() * rate == pytest.approx(1, abs=5 / math.sqrt(count))
    assert gaps.std() * rate == pytest.approx(1, abs=5 * math.sqrt(8 / count) / 2 * 2)
    texts = sum(a.modality == "text" for a in arrivals)
    assert texts / count == pytest.approx(0.5, abs=2.5 / math.sqrt(count))


def test_arrivals_are_those_of_the_seed() -> None:
    assert poisson(10, 50, ["text"], 3) == poisson(10, 50, ["text"], 3)
    assert poisson(10, 50, ["text"], 3) != poisson(10, 50, ["text"], 4)
