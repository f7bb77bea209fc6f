"""No call for work is forgotten, and one thread at a time is at a thing."""

from __future__ import annotations

import os
import threading
from collections import deque

from bindrt.streams.hands import Hands, Turn


class Thing:
    """Takes numbers; notices two threads at once."""

    def __init__(self, total: int) -> None:
        self.given: deque[int] = deque()
        self.taken: list[int] = []
        self.all_taken = threading.Event()
        self.was_shared = False
        self._total = total
        self._busy = threading.Lock()

    def work(self) -> bool:
        if not self._busy.acquire(blocking=False):
            self.was_shared = True
            return False
        if self.given:
            self.taken.append(self.given.popleft())
        if len(self.taken) == self._total:
            self.all_taken.set()
        more = len(self.given) > 0
        self._busy.release()
        return more


def test_every_call_is_answered_by_one_thread_at_a_time() -> None:
    hands = Hands(os.getpid())
    things = [Thing(4 * 500) for _ in range(6)]
    turns = [Turn(thing) for thing in things]

    def give(first: int) -> None:
        for number in range(first, first + 500):
            for thing, turn in zip(things, turns, strict=True):
                thing.given.append(number)
                hands.call(turn)

    givers = [threading.Thread(target=give, args=(1000 * i,)) for i in range(4)]
    for giver in givers:
        giver.start()
    for giver in givers:
        giver.join()
    for thing in things:
        assert thing.all_taken.wait(60)
        assert len(thing.taken) == len(set(thing.taken)) == 2000
        assert not thing.was_shared
    hands.stop()


def test_a_thing_that_fails_is_called_again() -> None:
    class Failing:
        def __init__(self) -> None:
            self.calls = 0
            self.again = threading.Event()

        def work(self) -> bool:
            self.calls += 1
            if self.calls == 1:
                raise RuntimeError("on purpose")
            self.again.set()
            return False

    hands, failing = Hands(os.getpid()), Failing()
    turn = Turn(failing)
    while not failing.again.is_set():
        hands.call(turn)
    hands.stop()
