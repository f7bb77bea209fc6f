"""Bounds on what is accepted, without a server."""

from __future__ import annotations

import pytest

from bindrt.errors import Overloaded
from bindrt.serving.admission import Queue


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_would_wait_for_too_long_is_refused() -> None:
    clock = Clock()
    queue = Queue(1000, seconds=10.0, clock=clock)
    with queue.room_for({"image": 4}):
        clock.now += 8.0  # 2 s an item
    with queue.room_for({"image": 500}), queue.room_for({"text": 1}):  # nothing waits before them
        with pytest.raises(Overloaded, match="500 items wait already, for about 1000 s"):
            queue.room_for({"image": 1}).__enter__()
        with queue.room_for({"text": 500}):  # nobody knows how long texts take
            pass
    with queue.room_for({"image": 5}), queue.room_for({"image": 1}):
        pass
    assert queue.held == {"image": 0, "text": 0}


def test_the_time_of_an_item_is_learned_anew() -> None:
    clock = Clock()
    queue = Queue(1000, seconds=10.0, clock=clock)
    with queue.room_for({"image": 1}):
        clock.now += 20.0
    with queue.room_for({"image": 1}), pytest.raises(Overloaded):
        queue.room_for({"image": 1}).__enter__()
    for _ in range(50):
        with queue.room_for({"image": 1}):
            clock.now += 0.1
    with queue.room_for({"image": 1}), queue.room_for({"image": 1}):
        pass


def test_requests_that_fail_teach_nothing() -> None:
    clock = Clock()
    queue = Queue(1000, seconds=10.0, clock=clock)
    with pytest.raises(ValueError), queue.room_for({"image": 1}):  # noqa: PT011, PT012
        clock.now += 1000.0
        raise ValueError
    with queue.room_for({"image": 1}), queue.room_for({"image": 1}):
        pass
