"""``_core.Inbox``: what waits, how much it is, and that nothing is lost or taken twice."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from bindrt._core import Inbox

BLOCK = np.arange(480, dtype=np.float32).reshape(2, 240)


def made(*parts: Any) -> tuple[Any, ...]:
    """data, time, arrived, seconds, bytes, newest"""
    return parts


def blocks(**options: Any) -> Inbox:
    inbox = Inbox("blocks", made, rate=1000.0, **options)
    inbox.expect(BLOCK)
    return inbox


def test_an_inbox_knows_what_waits() -> None:
    inbox = Inbox("blocks", made, rate=1000.0, most_bytes=1000)
    assert inbox.has_room(5000)
    inbox.put("large", 1000, 0.5)
    assert not inbox.has_room(1)
    inbox.put("small", 1, 0.25)  # pushes the large one out
    assert (len(inbox), inbox.seconds, inbox.pushed, inbox.dropped) == (1, 0.25, 2, 1)
    assert inbox.has_room(999)
    assert inbox.take() == "small"
    inbox.put_back("small", 1, 0.25)
    assert (len(inbox), inbox.seconds) == (1, 0.25)
    assert inbox.take() == "small"
    assert inbox.take() is None
    assert (len(inbox), inbox.seconds) == (0, 0.0)


def test_blocks_as_usual_are_copied() -> None:
    inbox = blocks()
    wide = np.concatenate([BLOCK, BLOCK], axis=1)
    assert inbox.push(BLOCK, 1.5) == inbox.push(wide[:, 7:17], None) == 2
    assert inbox.seconds == pytest.approx(0.25)
    data, time, arrived, seconds, size, newest = inbox.take()
    np.testing.assert_array_equal(data, BLOCK)
    assert (time, seconds, size, newest) == (1.5, 0.24, BLOCK.nbytes, 1.5)
    again, time, later, *_ = inbox.take()
    np.testing.assert_array_equal(again, wide[:, 7:17])
    assert time is None
    assert arrived <= later
    again[...] = 0  # each has memory of its own
    np.testing.assert_array_equal(data, BLOCK)


def test_what_is_not_as_usual_is_left() -> None:
    inbox = blocks()
    parts = [BLOCK[:1], BLOCK[0], BLOCK[:, ::2], BLOCK[:, :0], BLOCK.T]
    types = [BLOCK.astype(np.float64), BLOCK.astype(">f4"), np.ma.masked_array(BLOCK)]
    for other in [*parts, *types, BLOCK.tolist(), np.float32(1), None]:
        assert inbox.push(other, 1.0) == 0
    for time in (float("nan"), float("inf"), 1, "1", [1.0], np.float32(1)):
        assert inbox.push(BLOCK, time) == 0
    assert Inbox("blocks", made, rate=1000.0).push(BLOCK, 1.0) == 0  # nothing is usual yet
    assert len(inbox) == 0


def test_one_channel_may_come_without_an_axis() -> None:
    inbox = Inbox("blocks", made, rate=1000.0)
    inbox.expect(BLOCK[:1])
    assert inbox.push(BLOCK[0], None) == 2
    assert inbox.take()[0].shape == (1, 240)


def test_of_all_none_is_pushed_out() -> None:
    inbox = blocks(keep="all", most_bytes=2 * BLOCK.nbytes)
    assert [inbox.push(BLOCK, None) for _ in range(3)] == [2, 2, 0]
    assert (len(inbox), inbox.dropped) == (2, 0)


def test_a_closed_inbox_takes_nothing() -> None:
    inbox = blocks()
    inbox.push(BLOCK, None)
    inbox.close()
    assert inbox.push(BLOCK, None) == 0
    assert not inbox.put("piece", 1, 0.0)
    assert len(inbox) == 1


def test_options_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="blocks, frames or samples"):
        Inbox("texts", made)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="newest, recent or all"):
        Inbox("blocks", made, keep="some")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="axes"):
        blocks().expect(np.array(1.0))


def test_threads_lose_nothing_and_take_nothing_twice() -> None:
    inbox = blocks(keep="all")
    count, pushers = 500, 3
    found: list[tuple[float, float]] = []

    def push(number: int) -> None:
        for i in range(count):
            assert inbox.push(np.full((2, 60), number, np.float32), float(i))

    def take() -> None:
        while len(found) < count * pushers:
            if (piece := inbox.take()) is not None:
                assert (piece[0] == piece[0][0, 0]).all()
                found.append((float(piece[0][0, 0]), piece[1]))

    threads = [threading.Thread(target=push, args=(i,)) for i in range(pushers)]
    threads += [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(float(n), float(i)) for n in range(pushers) for i in range(count)]
    assert (len(inbox), inbox.pushed) == (0, count * pushers)
