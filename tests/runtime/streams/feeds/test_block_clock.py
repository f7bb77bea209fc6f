"""Trouble with the times of audio blocks: counted, noted, and it costs no more windows than it must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindrt.streams.feeds import AudioFeed, ReadyWindow
from support.feeds import TOLERANCE, cut
from support.media import waveform

RATE, BLOCK = 16000, 320  # 20 ms

Sent = tuple[float, np.ndarray]


def sent(seconds: float, origin: float = 0.0) -> list[Sent]:
    """A recording as blocks with their times."""
    wave = waveform(seconds, 1, RATE)
    return [(origin + at / RATE, wave[:, at : at + BLOCK]) for at in range(0, wave.shape[1], BLOCK)]


def heard(feed: AudioFeed, pieces: list[Sent]) -> list[ReadyWindow]:
    return [window for time, block in pieces for window in feed.push(block, time)] + feed.end()


def feed() -> AudioFeed:
    return AudioFeed(RATE, 1.0, 0.5)


def require_as_sent(windows: list[ReadyWindow], seconds: float, origin: float = 0.0) -> None:
    wave = waveform(seconds, 1, RATE)
    for window in windows:
        assert np.abs(window.item.array - cut(wave, RATE, window, origin)).max() < TOLERANCE


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), delay=st.floats(0, 0.18))
def test_blocks_out_of_order_within_the_bound_are_put_right(seed: int, delay: float) -> None:
    delays = np.random.default_rng(seed).uniform(0, delay, 300)
    delays[0] = 0  # the stream begins with the first block that comes
    delayed = zip(sent(6.0), delays, strict=True)
    pieces = [piece for piece, _ in sorted(delayed, key=lambda pair: pair[0][0] + pair[1])]
    made = feed()
    windows = heard(made, pieces)
    assert len(windows) == 11
    require_as_sent(windows, 6.0)
    assert made.counts["windows_lost"] == made.counts["gaps"] == made.counts["late"] == 0
    is_in_order = [p[0] for p in pieces] == sorted(p[0] for p in pieces)
    assert (made.counts["reordered"] == 0) == is_in_order


@settings(max_examples=25, deadline=None)
@given(repeats=st.lists(st.tuples(st.integers(0, 290), st.integers(1, 8)), max_size=8))
def test_blocks_that_come_twice_are_taken_once(repeats: list[tuple[int, int]]) -> None:
    pieces = sent(6.0)
    for at, later in sorted(repeats, reverse=True):
        pieces.insert(min(at + later, len(pieces)), pieces[at])
    made = feed()
    windows = heard(made, pieces)
    assert len(windows) == 11
    require_as_sent(windows, 6.0)
    assert made.counts["duplicates"] == len(repeats)


def test_a_short_gap_is_silence_and_is_noted() -> None:
    pieces = sent(4.0)
    del pieces[60:63]  # 1.2 s to 1.26 s
    made = feed()
    windows = heard(made, pieces)
    wave = waveform(4.0, 1, RATE)
    wave[0, 60 * BLOCK : 63 * BLOCK] = 0
    assert len(windows) == 7
    for window in windows:
        assert np.abs(window.item.array - cut(wave, RATE, window)).max() < 1e-4
    assert [w.notes.get("gap_seconds") for w in windows] == [None, 0.06, 0.06, None, None, None, None]
    assert made.counts["gaps"] == 1
    assert made.counts["gap_seconds"] == pytest.approx(0.06)
    assert made.counts["windows_lost"] == 0


def test_a_long_gap_loses_its_windows_and_no_other() -> None:
    pieces = sent(8.0)
    del pieces[110:160]  # 2.2 s to 3.2 s
    made = feed()
    windows = heard(made, pieces)
    assert [round(w.start, 6) for w in windows] == [0, 0.5, 1.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0]
    require_as_sent(windows, 8.0)
    assert made.counts["windows_lost"] == 4  # from 1.5, 2, 2.5 and 3 s
    assert windows[3].notes == {}


def test_a_clock_that_jumps_back_begins_a_new_run() -> None:
    made = feed()
    windows = heard(made, [*sent(3.25, origin=100.0), *sent(3.0, origin=101.0)])
    assert [round(w.start, 6) for w in windows] == [100, 100.5, 101, 101.5, 102, 101, 101.5, 102, 102.5, 103]
    require_as_sent(windows[5:], 3.0, 101.0)
    assert made.counts["jumps_back"] == 1
    assert made.counts["restarts"] == 0
    assert made.counts["windows_lost"] == 2  # from 102.5 and 103 s
    assert [w.notes.get("jumps_back") for w in windows[5:]] == [1, None, None, None, None]


def test_a_restart_is_told_from_a_jump() -> None:
    made = feed()
    windows = heard(made, [*sent(2.0, origin=100.0), *sent(2.0)])
    assert [round(w.start, 6) for w in windows] == [100, 100.5, 101, 0, 0.5, 1]
    assert (made.counts["restarts"], made.counts["jumps_back"]) == (1, 0)
    assert windows[3].notes == {"restarts": 1}


def test_one_stray_block_ends_nothing() -> None:
    pieces = sent(4.0, origin=10.0)
    pieces.insert(77, (3.0, pieces[0][1]))
    made = feed()
    windows = heard(made, pieces)
    assert len(windows) == 7
    require_as_sent(windows, 4.0, 10.0)
    assert made.counts["late"] == 1


def test_time_that_always_runs_backwards_stalls_nothing() -> None:
    made = feed()
    for at in range(200):
        made.push(np.zeros(BLOCK, np.float32), time=1000.0 - at)
    assert made.counts["late"] > 150
    windows = heard(made, sent(2.0, origin=2000.0))
    assert len(windows) == 3


def test_jitter_moves_no_sample_and_is_counted() -> None:
    random = np.random.default_rng(3)
    pieces = [(time + random.uniform(-0.008, 0.008), block) for time, block in sent(6.0)]
    made = feed()
    windows = heard(made, pieces)
    assert [round(w.start, 1) for w in windows] == [i / 2 for i in range(11)]
    wave = waveform(6.0, 1, RATE)
    for index, window in enumerate(windows):
        exact = ReadyWindow(index / 2, index / 2 + 1, window.item)
        assert np.abs(window.item.array - cut(wave, RATE, exact)).max() < TOLERANCE
    assert made.counts["jitter"] > 200
    assert made.counts["gaps"] == made.counts["windows_lost"] == 0


def test_windows_follow_a_clock_that_runs_fast() -> None:
    fast = 1 + 200e-6
    made = feed()
    windows = heard(made, [(time * fast, block) for time, block in sent(120.0)])
    assert made.counts["gaps"] == made.counts["windows_lost"] == 0
    assert windows[-1].start == pytest.approx((len(windows) - 1) * 0.5 * fast, abs=0.005)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_every_window_is_delivered_or_counted(data: st.DataObject) -> None:
    """Whatever is left out: the windows that come and those that are lost are all there are."""
    pieces = sent(12.0)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(1, len(pieces) - 2))
        del pieces[at : min(at + data.draw(st.integers(1, 90)), len(pieces) - 1)]
    made = feed()
    windows = heard(made, pieces)
    last = pieces[-1][0] + BLOCK / RATE
    complete = int((last - 1.0) / 0.5 + 1e-6) + 1
    begun = int(last / 0.5 + 1 - 1e-6)
    assert complete <= len(windows) + made.counts["windows_lost"] <= begun
    assert [round(w.start * 2) for w in windows] == sorted({round(w.start * 2) for w in windows})


def test_times_that_begin_later_lose_nothing() -> None:
    pieces = sent(3.0, origin=1.7e9)
    made = feed()
    windows = [
        w for i, (time, block) in enumerate(pieces) for w in made.push(block, time if i > 60 else None)
    ]
    assert [round(w.start, 4) for w in windows[:1]] == [0.0]
    assert [round(w.start - 1.7e9, 4) for w in windows[1:]] == [0.5, 1.0, 1.5, 2.0]
    assert made.counts["windows_lost"] == made.counts["gaps"] == 0
