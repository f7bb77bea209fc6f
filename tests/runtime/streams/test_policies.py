"""Which windows the policies let through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bindrt
from bindrt.items import Prepared
from bindrt.streams.arrivals import Arrival
from bindrt.streams.feeds import ReadyWindow
from bindrt.streams.policies import All, Even, Latest, Policy, policy_of


def arrival(start: float) -> Arrival:
    return Arrival(ReadyWindow(start, start + 1, Prepared(np.zeros(1))), start)


def simulated(policy: Policy, windows: int, between: float, takes: float) -> list[int]:
    """The numbers of the windows that a model computes which takes so long for each."""
    computed: list[int] = []
    busy_until: float | None = None
    for number in range(windows):
        now = number * between
        policy.offer(arrival(number), now)
        while True:
            if busy_until is not None and busy_until <= now:
                policy.computed(takes)
                free, busy_until = busy_until, None
            elif busy_until is None:
                free = now
            else:
                break
            taken = policy.take()
            if taken is None or taken.window is None:
                break
            computed.append(round(taken.window.start))
            busy_until = max(free, taken.arrived * between) + takes
    return computed


@given(st.lists(st.booleans(), max_size=50))
def test_every_window_is_taken_or_dropped(takes: list[bool]) -> None:
    for policy in (Latest(), All(5), Even()):
        dropped = taken = 0
        for number, take in enumerate(takes):
            dropped += policy.offer(arrival(number), float(number))
            taken += take and policy.take() is not None
        assert taken + dropped + len(policy) == len(takes)


def test_latest_keeps_the_newest() -> None:
    policy = Latest()
    assert [policy.offer(arrival(i), 0.0) for i in range(3)] == [0, 1, 1]
    taken = policy.take()
    assert taken == policy.take() or taken is not None
    assert taken is not None
    assert taken.window is not None
    assert taken.window.start == 2


@pytest.mark.parametrize("takes", [0.5, 1.9, 3.0, 3.6, 7.3])
def test_even_skips_evenly(takes: float) -> None:
    computed = simulated(Even(), 600, 1.0, takes)[50:]
    steps = np.diff(computed)
    assert steps.max() - steps.min() <= 1
    assert steps.mean() == pytest.approx(max(takes / 0.95, 1.0), rel=0.03)


def test_even_lets_all_through_once_the_model_is_fast_again() -> None:
    policy = Even()
    simulated(policy, 100, 1.0, 4.0)
    for _ in range(100):
        policy.computed(0.1)
    policy.take()
    later = [policy.offer(arrival(i), 100.0 + i) or policy.take() is None for i in range(100)]
    assert not any(later[50:])


def test_a_window_that_is_put_back_is_the_next() -> None:
    for policy in (Latest(), All(5), Even()):
        policy.offer(arrival(0), 0.0)
        first = policy.take()
        assert first is not None
        policy.put_back(first)
        assert policy.take() is first


def test_an_unknown_policy_is_an_error() -> None:
    with pytest.raises(bindrt.OptionError, match="latest, all, even"):
        policy_of("newest", 3)  # type: ignore[arg-type]
