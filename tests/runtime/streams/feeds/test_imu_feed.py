"""Windows of inertial samples equal those cut from the whole recording, however the samples come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bindrt
from bindrt.streams.feeds import ImuFeed, ReadyWindow

TOLERANCE = 1e-5


def motion(seconds: float, rate: float = 400.0, origin: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Samples ``[6, N]`` and their times."""
    times = np.arange(round(seconds * rate)) / rate
    channels = [np.sin((1 + i) * times + i) + (9.8 if i == 2 else 0) for i in range(6)]
    return np.stack(channels), origin + times


def cut(samples: np.ndarray, times: np.ndarray, window: ReadyWindow) -> np.ndarray:
    inside = (times >= window.start) & (times < window.end)
    return bindrt.preprocess.imu(samples[:, inside], timestamps=times[inside])


def require_equal(windows: list[ReadyWindow], samples: np.ndarray, times: np.ndarray) -> None:
    for window in windows:
        assert np.abs(window.item.array - cut(samples, times, window)).max() < TOLERANCE


def pushed(feed: ImuFeed, samples: np.ndarray, times: np.ndarray, lengths: list[int]) -> list[ReadyWindow]:
    windows, at = [], 0
    for turn in range(len(times)):
        if at >= len(times):
            break
        stop = at + lengths[turn % len(lengths)]
        windows += feed.push(samples[:, at:stop], times[at:stop])
        at = stop
    return windows + feed.end()


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 900), min_size=1, max_size=5),
    rate=st.sampled_from([100.0, 200.0, 400.0, 1000.0]),
    hop=st.sampled_from([0.1, 0.5, 1.0]),
    uneven=st.sampled_from([0.0, 0.3]),
)
def test_any_pieces_give_the_windows_of_the_whole_recording(
    lengths: list[int], rate: float, hop: float, uneven: float
) -> None:
    samples, times = motion(7.0, rate, origin=1000.0)
    times = times + uneven / rate * np.random.default_rng(5).uniform(-1, 1, len(times))
    windows = pushed(ImuFeed(5.0, hop), samples, times, lengths)
    assert len(windows) in (int(2.0 / hop), int(2.0 / hop) + 1)
    require_equal(windows, samples, times)


def test_samples_one_by_one_and_by_rate() -> None:
    samples, times = motion(6.1)
    feed = ImuFeed(5.0, 0.5, rate=400)
    windows = [window for sample in samples.T for window in feed.push(sample)]
    assert [w.start for w in windows] == [0.0, 0.5, 1.0]
    require_equal(windows, samples, times)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99))
def test_samples_out_of_order_within_the_bound_are_put_right(seed: int) -> None:
    samples, times = motion(7.0)
    late = times + np.random.default_rng(seed).uniform(0, 0.018, len(times))
    late[0] = 0  # the stream begins with the first sample that comes
    order = np.argsort(late)
    feed = ImuFeed(5.0, 0.5, reorder=0.02)
    windows = pushed(feed, samples[:, order], times[order], [3, 1, 7])
    assert len(windows) == 5
    require_equal(windows, samples, times)
    assert feed.counts["reordered"] > 100
    assert feed.counts["late"] == 0


def test_samples_that_come_twice_are_taken_once() -> None:
    samples, times = motion(6.0)
    feed = ImuFeed(5.0, 0.5)
    windows = []
    for at in range(0, len(times), 8):
        windows += feed.push(samples[:, at : at + 8], times[at : at + 8])
        if at % 80 == 0:
            windows += feed.push(samples[:, at : at + 8], times[at : at + 8])
    windows += feed.end()
    assert len(windows) == 3
    require_equal(windows, samples, times)
    assert feed.counts["duplicates"] == 8 * 30


@settings(max_examples=10, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.sampled_from(["acc", "gyro"]), st.integers(7, 120)), min_size=1, max_size=8),
    rates=st.sampled_from([(400.0, 400.0), (200.0, 400.0), (104.0, 208.0)]),
)
def test_two_sensors_apart_are_joined_by_their_times(
    pieces: list[tuple[str, int]], rates: tuple[float, float]
) -> None:
    whole = {
        name: (samples[rows], times)
        for name, rate, rows, origin in (
            ("acc", rates[0], slice(0, 3), 0.0),
            ("gyro", rates[1], slice(3, 6), 0.001),
        )
        for samples, times in [motion(7.2, rate, origin)]
    }
    feed, at = ImuFeed(5.0, 0.5), {"acc": 0, "gyro": 0}
    windows = []
    while any(at[name] < len(times) for name, (_, times) in whole.items()):
        for name, count in [*pieces, ("acc", 50), ("gyro", 50)]:
            samples, times = whole[name]
            other = "gyro" if name == "acc" else "acc"
            # A window waits a second for a sensor; no piece may put its own further ahead than that.
            ahead = (at[name] + count) / len(times) - at[other] / len(whole[other][1])
            if ahead > 0.9 / 7.2:
                continue
            part = slice(at[name], at[name] + count)
            at[name] += count
            windows += feed.push({name: samples[:, part]}, times[part])
    windows += feed.end()
    assert feed.counts["windows_lost"] == 0
    assert len(windows) == 5
    for window in windows:
        table: dict[str, Any] = {}
        for name, (samples, times) in whole.items():
            inside = (times >= window.start) & (times < window.end)
            table |= {name: samples[:, inside], f"{name}_time": times[inside]}
        expected = bindrt.preprocess.imu(bindrt.Imu(table, time_unit="s"))
        assert np.abs(window.item.array - expected).max() < TOLERANCE


def test_a_sensor_that_falls_silent_stalls_nothing() -> None:
    samples, times = motion(20.0)
    feed = ImuFeed(5.0, 0.5)
    windows = []
    for at in range(0, len(times), 40):
        windows += feed.push({"acc": samples[:3, at : at + 40]}, times[at : at + 40])
        if times[at] < 6.0:
            windows += feed.push({"gyro": samples[3:, at : at + 40]}, times[at : at + 40])
    assert len(windows) == 3
    assert feed.counts["windows_lost"] >= 25
    assert feed.last_error == "a sensor gave nothing"


def test_clocks_of_two_sensors_that_drift_apart_are_noted() -> None:
    samples, times = motion(60.0)
    feed = ImuFeed(5.0, 1.0)
    windows = []
    for at in range(0, len(times), 20):
        part = slice(at, at + 20)
        windows += feed.push({"acc": samples[:3, part]}, times[part])
        windows += feed.push({"gyro": samples[3:, part]}, times[part] * (1 - 2e-3))
    assert len(windows) >= 54
    assert "clock_skew" not in windows[0].notes
    assert windows[-1].notes["clock_skew"] == pytest.approx(0.11, abs=0.03)


def test_a_long_gap_loses_its_windows_and_no_other() -> None:
    samples, times = motion(16.0)
    kept = (times < 6.2) | (times >= 6.5)
    feed = ImuFeed(5.0, 0.5)
    windows = pushed(feed, samples[:, kept], times[kept], [40])
    assert [w.start for w in windows] == [0, 0.5, 1.0, *np.arange(6.5, 11.25, 0.5)]
    require_equal(windows, samples[:, kept], times[kept])
    assert feed.counts["windows_lost"] == 10
    assert feed.counts["gaps"] == 1
    assert "gap of 0.3" in feed.last_error


def test_a_gap_of_hours_costs_no_time_for_each_window() -> None:
    samples, times = motion(6.0)
    feed = ImuFeed(5.0, 0.1)
    windows = pushed(feed, samples, times, [40])
    windows += pushed(feed, samples, times + 1e6, [40])
    assert len(windows) == 22
    assert feed.counts["windows_lost"] == pytest.approx(1e7, rel=1e-3)


def test_a_restart_begins_the_windows_anew() -> None:
    samples, times = motion(6.0)
    feed = ImuFeed(5.0, 0.5)
    windows = pushed(feed, samples, times + 50, [16])
    windows += pushed(feed, samples, times, [16])
    assert [w.start for w in windows] == [50, 50.5, 51, 0, 0.5, 1]
    require_equal(windows[3:], samples, times)
    assert feed.counts["restarts"] == 1
    assert windows[3].notes["restarts"] == 1


def test_values_that_are_not_finite_are_left_out() -> None:
    samples, times = motion(6.0)
    broken = samples.copy()
    broken[4, 1000:1003] = np.nan
    kept = np.delete(np.arange(len(times)), [1000, 1001, 1002])
    feed = ImuFeed(5.0, 0.5)
    windows = pushed(feed, broken, times, [100])
    require_equal(windows, samples[:, kept], times[kept])
    assert feed.counts["not_finite"] == 3


def test_a_short_window_holds_its_last_value() -> None:
    samples, times = motion(3.0)
    windows = pushed(ImuFeed(2.0, 1.0), samples, times, [50])
    assert [w.start for w in windows] == [0.0, 1.0]
    expected = bindrt.preprocess.imu(samples[:, :800], rate=400, min_seconds=1.5)
    assert np.abs(windows[0].item.array - expected).max() < TOLERANCE


@pytest.mark.parametrize(
    ("data", "times", "text"),
    [
        (np.zeros((5, 10)), np.arange(10), r"samples are \[6, n\]"),
        (np.zeros((10, 6)), np.arange(10), "transpose it"),
        (np.zeros((6, 10)), np.arange(9), "9"),
        (np.zeros((6, 10)), None, "no times"),
        (np.zeros((6, 10), complex), np.arange(10), "complex"),
        ({"mag": np.zeros((3, 10))}, np.arange(10), "mag"),
        ({"acc": np.zeros((3, 10))}, np.arange(10), "of one alone"),
        ({"acc": np.zeros((6, 10))}, np.arange(10), r"\[3, n\]"),
    ],
)
def test_bad_samples_are_errors_and_change_nothing(data: Any, times: Any, text: str) -> None:
    samples, good_times = motion(5.5)
    feed = ImuFeed(5.0, 1.0)
    feed.push(samples[:, :1000], good_times[:1000])
    with pytest.raises(bindrt.InputError, match=text):
        feed.push(data, times)
    windows = feed.push(samples[:, 1000:], good_times[1000:])
    require_equal(windows, samples, good_times)
    assert len(windows) == 1


def test_options_of_the_items() -> None:
    samples, times = motion(5.5)
    feed = ImuFeed(5.0, 1.0, accel_unit="g", gyro_unit="deg/s")
    (window,) = pushed(feed, samples, times, [100])
    expected = bindrt.preprocess.imu(samples[:, :2000], rate=400, accel_unit="g", gyro_unit="deg/s")
    assert np.abs(window.item.array - expected).max() < 1e-4
    with pytest.raises(bindrt.OptionError, match="no such option"):
        ImuFeed(unknown=1)


def test_samples_between_two_windows_are_not_late() -> None:
    samples, times = motion(22.0, 100.0)
    feed = ImuFeed(5.0, 8.0, reorder=0.0)
    windows = pushed(feed, samples, times, [7])
    assert [w.start for w in windows] == [0.0, 8.0, 16.0]
    require_equal(windows, samples, times)
    assert feed.counts["late"] == feed.counts["gaps"] == 0
