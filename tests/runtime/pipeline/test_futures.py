"""``EmbeddingFuture`` is a ``concurrent.futures.Future`` in all it does, though its condition comes late."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, TimeoutError, as_completed, wait
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt.pipeline import EmbeddingFuture
from bindrt.preprocess import text as tokens
from support.engines import SimulatedEngine

DOG = bindrt.Prepared(tokens("a dog")[0])


@pytest.fixture
def model(small_bundle: Path) -> Iterator[bindrt.Model]:
    with bindrt.load(small_bundle) as loaded:
        yield loaded


@pytest.fixture
def held() -> SimulatedEngine:
    """An engine that waits for its gate."""
    engine = SimulatedEngine(max_batch=1, held=True)
    return engine


@pytest.fixture
def blocked(load_with: Callable[..., bindrt.Model], held: SimulatedEngine) -> bindrt.Model:
    return load_with(text=held)


def test_it_has_what_a_future_has() -> None:
    """A new Python with another Future must be looked at."""
    ordinary: Future[int] = Future()
    ours = EmbeddingFuture("text")
    names = {"_condition", "_done_callbacks", "_exception", "_result", "_state", "_waiters"}
    assert set(vars(ordinary)) == names
    with ours._condition:
        for name in names - {"_condition"}:
            assert getattr(ours, name) == getattr(ordinary, name)


def test_waited_for_natively_and_through_its_condition(blocked: bindrt.Model, held: SimulatedEngine) -> None:
    futures = [blocked.submit("text", DOG) for _ in range(12)]
    results: dict[int, float] = {}

    def look(i: int, how: Callable[[EmbeddingFuture], np.ndarray]) -> None:
        results[i] = float(how(futures[i])[1])

    def condition(future: EmbeddingFuture) -> np.ndarray:
        wait([future])
        return future.result(0)

    def native(future: EmbeddingFuture) -> np.ndarray:
        assert future.exception() is None
        return future.result()

    threads = [
        threading.Thread(target=look, args=(i, (native, condition, EmbeddingFuture.result)[i % 3]))
        for i in [*range(12), *range(6)]  # some by two threads
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert results == {}
    assert not any(f.done() for f in futures)
    held.gate.set()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == list(range(12))
    assert all(f.done() and not f.cancelled() and not f.running() for f in futures)


def test_timeouts(blocked: bindrt.Model, held: SimulatedEngine) -> None:
    future = blocked.submit("text", DOG)
    for timeout in (0, 0.05, 0.25):
        begin = time.monotonic()
        with pytest.raises(TimeoutError):
            future.result(timeout)
        with pytest.raises(TimeoutError):
            future.exception(timeout)
        assert time.monotonic() - begin >= 2 * timeout
    held.gate.set()
    assert future.result(60) is future.result(0)


def test_callbacks_before_and_after(blocked: bindrt.Model, held: SimulatedEngine) -> None:
    future = blocked.submit("text", DOG)
    called: list[str] = []
    done = threading.Event()
    future.add_done_callback(lambda f: called.append("before" if f.done() else "early"))
    future.add_done_callback(lambda _: done.set())
    held.gate.set()
    assert done.wait(60)
    future.add_done_callback(lambda _: called.append("after"))
    assert called == ["before", "after"]


def test_a_cancel_wakes_who_waits(blocked: bindrt.Model, held: SimulatedEngine) -> None:
    running, queued = blocked.submit("text", DOG), blocked.submit("text", DOG)
    assert held.entered.wait(60)
    ended: list[type] = []

    def look(future: EmbeddingFuture) -> None:
        try:
            future.result()
        except CancelledError as error:
            ended.append(type(error))

    threads = [threading.Thread(target=look, args=(f,)) for f in (running, queued)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    assert running.cancel()
    assert queued.cancel()
    for thread in threads:
        thread.join(60)  # though the engine still has the first
    assert len(ended) == 2
    held.gate.set()


def test_as_completed_and_asyncio(blocked: bindrt.Model, held: SimulatedEngine) -> None:
    futures = [blocked.submit("text", DOG) for _ in range(5)]
    threading.Timer(0.1, held.gate.set).start()
    assert len(list(as_completed(futures, 60))) == 5
    assert len(wait([blocked.submit("text", DOG), *futures], 60, FIRST_COMPLETED).done) >= 5

    async def gathered() -> int:
        return len(
            await asyncio.gather(*(asyncio.wrap_future(blocked.submit("text", DOG)) for _ in range(9)))
        )

    assert asyncio.run(gathered()) == 9


def test_done_futures_cannot_be_cancelled(model: bindrt.Model) -> None:
    future = model.submit("text", DOG)
    row = future.result(60)
    assert not future.cancel()
    assert not future.cancelled()
    assert future.exception(0) is None
    assert future.result() is row
    assert row.flags.owndata  # it keeps no batch
    assert "finished" in repr(future)


def test_conditions_made_in_a_race_with_results(load_with: Callable[..., bindrt.Model]) -> None:
    """Threads want the condition of futures that are being set: none may wait for ever."""
    model = load_with(text=SimulatedEngine(max_batch=16))
    futures: list[EmbeddingFuture] = []
    lost: list[int] = []

    def look(start: int) -> None:
        for i in range(start, 3000, 3):
            while len(futures) <= i:
                pass
            if wait([futures[i]], 30).not_done:
                lost.append(i)

    threads = [threading.Thread(target=look, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3000):
        futures.append(model.submit("text", DOG))
    for thread in threads:
        thread.join(120)
    assert lost == []
    assert all(f.result(0)[1] > 0 for f in futures)


def test_many_threads_want_the_same_futures(load_with: Callable[..., bindrt.Model]) -> None:
    """Some wait, some cancel, some look on: each future ends once, for everybody alike."""
    model = load_with(text=SimulatedEngine(max_batch=16))
    count, called = 1000, [0] * 1000
    futures: list[EmbeddingFuture] = []
    seen: list[list[object]] = [[] for _ in range(count)]

    def each(do: Callable[[int, EmbeddingFuture], object]) -> threading.Thread:
        def go() -> None:
            for i in range(count):
                while len(futures) <= i:
                    pass
                do(i, futures[i])

        return threading.Thread(target=go)

    def outcome(i: int, future: EmbeddingFuture) -> None:
        try:
            seen[i].append(future.result(60)[1] > 0)
        except CancelledError:
            seen[i].append("cancelled")

    def call_back(i: int, future: EmbeddingFuture) -> None:
        def add(_: object) -> None:
            called[i] += 1

        future.add_done_callback(add)

    def cancel(i: int, future: EmbeddingFuture) -> None:
        if i % 3 == 0:
            seen[i].append("cancelled" if future.cancel() else True)

    threads = [each(do) for do in (outcome, outcome, call_back, cancel)]
    for thread in threads:
        thread.start()
    for _ in range(count):
        futures.append(model.submit("text", DOG))
    for thread in threads:
        thread.join(120)
    assert called == [1] * count
    assert all(future.done() for future in futures)
    for i, found in enumerate(seen):
        assert len(found) == (3 if i % 3 == 0 else 2)
        assert len(set(found)) == 1, f"{i}: {found}"
