"""The highest rate: found for systems of known capacity, given up where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindrt.benchmark.arrivals import poisson
from bindrt.benchmark.rate_search import MOST_TRIALS, RateSearch
from bindrt.benchmark.scenarios import server
from support.simulated import Server, SimulatedClock


@given(st.floats(0.01, 1e5), st.floats(0.1, 1000), st.integers(0, 4))
def test_a_sharp_limit_is_found_within_the_tolerance(limit: float, factor: float, confirmations: int) -> None:
    search = RateSearch(limit * factor, 0.05, confirmations, halvings=12)
    tried = []
    while (rate := search.next()) is not None:
        tried.append(rate)
        search.record(rate, rate <= limit)
    assert search.found
    assert search.held is not None
    assert limit / 1.05 - 1e-9 <= search.held <= limit
    assert search.failed is not None
    assert search.failed > limit
    assert tried.count(search.held) == 1 + confirmations
    assert len(tried) < 30


@given(st.integers(0, 2**31))
def test_luck_is_not_enough(seed: int) -> None:
    """Above the limit a rate holds now and then; what is found held each time, and the search ends."""
    random = np.random.default_rng(seed)
    search = RateSearch(10.0, 0.05, 2)
    results: dict[float, list[bool]] = {}
    while (rate := search.next()) is not None:
        held = bool(rate <= 100 or random.random() < 0.3 * 100 / rate)
        results.setdefault(rate, []).append(held)
        search.record(rate, held)
    assert search.trials <= MOST_TRIALS
    if search.found:
        assert search.held is not None
        assert results[search.held][-3:] == [True] * 3
        assert search.held >= 100 / 1.06 / 2


def test_nothing_holds() -> None:
    search = RateSearch(100.0)
    while (rate := search.next()) is not None:
        search.record(rate, False)
    assert (search.held, search.found) == (None, False)
    assert search.failed == pytest.approx(100 / 2**2)


@pytest.mark.parametrize("blocks", [False, True])
def test_a_server_of_known_capacity(blocks: bool) -> None:
    """One server, 10 ms a request, Poisson arrivals: queueing theory says where p99 is 100 ms."""
    bound, service = 0.1, 0.01
    search = RateSearch(20.0, 0.02, 1)
    seed = 0
    while (rate := search.next()) is not None:
        clock = SimulatedClock()
        arrivals = poisson(rate, 5000, ["text"], seed)
        found = server(
            Server(clock, service, blocks=blocks), {"text": ["a"]}, arrivals, rate, bound, clock=clock
        )
        search.record(rate, found.held)
        seed += 1
    # In an M/D/1 queue the share that waits longer than t is about (1-ρ)/(ρeˣ-1)·exp(-xt/s), with eˣ-1 = x/ρ:
    # 1 % wait longer than 90 ms where ρ is 0.774.
    assert search.held is not None
    assert search.held * service == pytest.approx(0.774, abs=0.06)
