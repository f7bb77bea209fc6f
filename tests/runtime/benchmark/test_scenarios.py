"""Loads and their accounting, on systems whose times are known."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from bindrt.benchmark.arrivals import Arrival, poisson
from bindrt.benchmark.scenarios import Trial, offline, server, single
from bindrt.errors import InputError
from support.simulated import Server, SimulatedClock

ITEMS = {"text": ["a", "b"], "image": ["c"]}


def trial(
    arrivals: list[Arrival], bound: float, service: float = 0.01, blocks: bool = False, **options: Any
) -> Trial:
    clock = SimulatedClock()
    system = Server(clock, service, blocks=blocks, **options)
    return server(system, ITEMS, arrivals, 1.0, bound, clock=clock)


def test_single_sends_the_next_when_the_last_is_done() -> None:
    clock = SimulatedClock()
    system = Server(clock, 0.02)
    run = single(system, ITEMS, ["text"], 1.0, {"text": 7}, clock)
    assert run.latencies["text"] == pytest.approx([0.02] * 50)
    assert run.items == {"text": 50}
    assert run.seconds["text"] == pytest.approx(1.0)
    assert system.priorities == {7}


def test_offline_counts_what_was_done_until_the_last() -> None:
    clock = SimulatedClock()
    run = offline(Server(clock, 0.3), ITEMS, ["text"], 1.0, clock=clock)
    assert run.items == {"text": 4}  # the fourth was taken at 0.9 s
    assert run.seconds["text"] == pytest.approx(1.2)


def test_a_run_has_a_few_requests_however_short() -> None:
    clock = SimulatedClock()
    assert single(Server(clock, 9.0), ITEMS, ["text"], 0.1, clock=clock).items == {"text": 3}


def even(rate: float, count: int) -> list[Arrival]:
    return [Arrival(i / rate, "text") for i in range(count)]


@pytest.mark.parametrize("blocks", [False, True])
def test_latency_counts_from_when_a_request_was_due(blocks: bool) -> None:
    """A stall of half a second is in the latencies of all who came meanwhile, also if callers are blocked."""
    clock = SimulatedClock()
    # The first request, which waits for the system to be free, ends at 0.001.
    system = Server(clock, 0.001, stalls=[(1.001, 1.501)], blocks=blocks)
    found = server(system, ITEMS, even(100, 300), 100, 10.0, clock=clock)
    assert found.held
    late = [seconds for seconds in found.latencies["text"] if seconds > 0.0015]
    # 50 came in the stall; 1 ms of work for each while one comes every 10 ms: 5 more wait for those.
    assert 54 <= len(late) <= 57
    assert max(late) == pytest.approx(0.501, abs=0.002)
    assert np.median(late) == pytest.approx(0.25, abs=0.05)


def test_a_rate_beyond_the_capacity_does_not_hold_and_ends_early() -> None:
    found = trial(poisson(120, 1000, ["text"], 0), 0.1)
    assert not found.held
    assert found.why == "text: more than 1 % took longer than 100 ms"
    assert found.sent < 1000


def test_a_rate_below_holds_and_everything_is_answered() -> None:
    found = trial(poisson(50, 1000, ["text"], 0), 0.1)
    assert (found.held, found.why, found.sent) == (True, "", 1000)
    assert len(found.latencies["text"]) == 1000
    assert min(found.latencies["text"]) >= 0.01 - 1e-9


def test_the_bound_is_of_each_modality() -> None:
    """Two of a hundred images late are too many, though not of all requests."""
    arrivals = even(1, 400) + [Arrival(1000 + 10 * i, "image") for i in range(100)]
    stalls = [(1001 + 10 * i - 0.5, 1001 + 10 * i + 0.5) for i in (3, 50)]
    shifted = [(a - 1.0, b - 1.0) for a, b in stalls]
    found = trial(arrivals, 0.2, stalls=shifted)
    assert not found.held
    assert found.why.startswith("image")


def test_a_bad_item_is_an_error_and_no_matter_of_speed() -> None:
    class Refusing(Server):
        """Answers at once; of item b with an error."""

        def submit(self, modality: str, item: object, priority: int) -> Future[Any]:
            future: Future[Any] = Future()
            if item == "b":
                future.set_exception(InputError("b", "no good"))
            else:
                future.set_result(None)
            return future

    clock = SimulatedClock()
    with pytest.raises(InputError, match="no good"):
        server(Refusing(clock, 0.001), ITEMS, even(10, 5), 10, 1.0, clock=clock)


def test_several_modalities_at_once_raise_what_one_of_them_raises() -> None:
    class Broken(Server):
        def submit(self, modality: str, item: object, priority: int) -> Future[Any]:
            raise InputError(modality, "broken")

    clock = SimulatedClock()
    with pytest.raises(InputError, match="broken"):
        single(Broken(clock, 1.0), ITEMS, ["text", "image"], 0.1, clock=clock)
