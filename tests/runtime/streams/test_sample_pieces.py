"""Inertial samples that come one by one: when they are looked at, and what is put together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bindrt._core import owned
from bindrt.streams.arrivals import Piece
from bindrt.streams.feeds import ImuFeed
from bindrt.streams.sample_pieces import SamplePieces

SAMPLE = np.arange(6.0)


class Pushed:
    """What a stream does with pieces, without its threads."""

    def __init__(self, **options: Any) -> None:
        self.feed = ImuFeed(window=1.0, hop=0.5, reorder=0.0, **options)
        self.pieces = SamplePieces(self.feed, options.get("rate"), 1.0, 0.5)
        self.inbox = self.pieces.inbox

    def push(self, data: Any, time: Any = None) -> bool:
        """Whether the stream would be called."""
        if answer := self.inbox.push(data, time):
            return answer == 2
        piece = self.pieces.piece(data, time, 0.0)
        self.inbox.put(piece, piece.bytes, piece.seconds)
        return self.pieces.is_due(piece)

    def take(self) -> Piece:
        piece = self.pieces.take()
        assert piece is not None
        return piece


def times_of(piece: Piece) -> list[float]:
    return [float(time) for each in piece.data for time in each.times]


def test_samples_wait_until_a_window_may_be_complete() -> None:
    pushed = Pushed()
    assert pushed.push(SAMPLE, 10.0)  # the first one: there is no window yet
    assert pushed.pieces.fed(pushed.take()) == []
    due = [pushed.push(SAMPLE, 10.0 + i / 40) for i in range(1, 42)]
    assert due == [False] * 39 + [True, True]
    whole = pushed.take()
    assert times_of(whole) == [10.0 + i / 40 for i in range(1, 41)]
    assert (whole.newest, len(pushed.inbox)) == (11.0, 1)  # what completes it is the last
    assert whole.arrived == max(part.arrived for part in whole.parts)
    assert [w.start for w in pushed.pieces.fed(whole)] == [10.0]
    assert pushed.inbox.seconds == pytest.approx(1 / 40)


def test_samples_without_times_wait_as_well() -> None:
    pushed = Pushed(rate=40)
    assert pushed.push(SAMPLE)
    assert pushed.pieces.fed(pushed.take()) == []
    assert [pushed.push(SAMPLE) for _ in range(1, 42)] == [False] * 39 + [True, True]
    assert [w.start for w in pushed.pieces.fed(pushed.take())] == [0.0]


def test_not_too_many_wait() -> None:
    pushed = Pushed()
    pushed.push(SAMPLE, 0.0)
    pushed.pieces.fed(pushed.take())
    due = [pushed.push(SAMPLE, i / 1000) for i in range(1, 70)]
    assert due == [False] * 63 + [True] * 6
    assert len(times_of(pushed.take())) == 64
    assert len(times_of(pushed.take())) == 5


def test_two_sensors_come_together() -> None:
    pushed = Pushed()
    for i in range(4):
        pushed.push({"acc": SAMPLE[:3] + i}, i / 100)
        pushed.push({"gyro": SAMPLE[3:] - i}, i / 100 + 0.001)
    pushed.pieces.fed(pushed.take())  # the first ones come alone, until windows have begun
    acc_or_gyro = pushed.take()
    by_sensor = {each.sensor: each for each in acc_or_gyro.data}
    assert set(by_sensor) == {"acc", "gyro"}
    assert by_sensor["acc"].samples[0].tolist() == [1.0, 2.0, 3.0]
    assert by_sensor["gyro"].times.tolist() == pytest.approx([0.001, 0.011, 0.021, 0.031])


def test_what_does_not_go_on_in_time_is_alone() -> None:
    pushed = Pushed()
    pushed.push(SAMPLE, 5.0)
    pushed.pieces.fed(pushed.take())
    for time in (5.1, 5.2, 5.15, 5.3, 5.3, 5.4):
        pushed.push(SAMPLE, time)
    pushed.push(np.stack([SAMPLE] * 2, axis=1), [5.6, 5.5])
    pushed.push(SAMPLE, np.nan)
    taken = []
    while len(pushed.inbox):
        taken.append(pushed.take())
        pushed.pieces.fed(taken[-1])
    assert [times_of(piece) for piece in taken[:-1]] == [[5.1, 5.2], [5.15], [5.3], [5.3], [5.4], [5.6, 5.5]]
    for key in ("late", "duplicates", "reordered", "not_finite"):
        assert pushed.feed.counts[key] == 1, key


def test_a_clock_that_goes_back_is_not_hidden_by_what_follows() -> None:
    pushed = Pushed()
    for i in range(40):
        pushed.push(SAMPLE, 5.0 + i / 40)
    for i in range(60):  # from 1 s before the newest time to one after it
        pushed.push(SAMPLE, 5.0 + i / 40)
    windows = []
    while len(pushed.inbox):
        windows += pushed.pieces.fed(pushed.take())
    assert pushed.feed.counts["jumps_back"] == 1
    assert [w.start for w in windows] == [5.0, 5.5]
    assert windows[0].notes["jumps_back"] == 1


@pytest.mark.parametrize("count", [0, 1, 15, 65_536, 65_551, 300_007])
def test_a_copy_has_the_same_numbers_whatever_its_size_and_place(count: int) -> None:
    wide = np.random.default_rng(0).integers(0, 256, 2 * count + 3, np.uint8)
    for given in (wide[3 : 3 + count], wide[: 2 * count : 2], wide[:count].reshape(1, -1)):
        copy = owned(given)
        assert not np.shares_memory(copy, given)
        assert (copy.shape, copy.dtype, copy.flags.c_contiguous) == (given.shape, given.dtype, True)
        np.testing.assert_array_equal(copy, given)


def test_only_numbers_are_copied() -> None:
    with pytest.raises(ValueError, match="array of numbers"):
        owned(np.array([object()]))


def test_only_an_array_that_can_change_is_copied() -> None:
    for count in (10, 5000):
        changeable = np.zeros((2, count), np.uint8)
        fixed = np.frombuffer(changeable.tobytes(), np.uint8).reshape(2, count)[:, 1:]
        assert not np.shares_memory(owned(changeable), changeable)
        assert np.shares_memory(owned(fixed), fixed)
        writeable_elsewhere = np.frombuffer(bytearray(count), np.uint8)
        assert not np.shares_memory(owned(writeable_elsewhere), writeable_elsewhere)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_samples_as_usual_are_taken_by_the_inbox(dtype: type) -> None:
    pushed = Pushed()
    samples, times = np.arange(30).reshape(6, 5).astype(dtype), np.arange(5) / 40
    pushed.push(samples, times)
    pushed.take()
    wide = np.repeat(samples, 2, axis=1)[:, 1:6]
    for given in (samples, wide):
        assert pushed.inbox.push(given, times)
        (piece,) = pushed.take().data
        np.testing.assert_array_equal(piece.samples, given)
        np.testing.assert_array_equal(piece.times, times)
        assert piece.samples.dtype == dtype
    assert pushed.inbox.push(samples[:, 0], np.float64(0.5))
    (piece,) = pushed.take().data
    assert (piece.samples[:, 0].tolist(), piece.times.tolist()) == (samples[:, 0].tolist(), [0.5])
    for other, at in (
        (samples.T, times),
        (samples, times[:4]),
        (samples, times.astype(np.float32)),
        (samples, None),
        (samples[:, ::2], times[::2]),
        (samples[:, :0], times[:0]),
        (samples[:, 0], np.nan),
        (samples[:3], times),
        (samples.tolist(), times),
        (samples.astype(np.float16), times),
    ):
        assert not pushed.inbox.push(other, at)


def test_times_that_are_no_numbers_add_no_seconds() -> None:
    pushed = Pushed()
    pushed.push(SAMPLE, 5.0)
    pushed.take()
    pushed.push(np.ones((6, 2)), np.array([5.25, np.nan]))
    pushed.push(SAMPLE, 5.5)
    assert pushed.inbox.seconds == 0.5
