"""The scene of ``bench streams --part events``, how events are counted, and what a monitor finds."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from bench.streams import events
from bindrt.monitoring import Event
from tiny.world import IMU_RATE, KINDS, SOUND_RATE


def test_the_scene() -> None:
    happens = events.happenings(1)
    counts = Counter(one.kind for one in happens)
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 3
    assert len(happens) == 40
    pauses = [b.start - a.end for a, b in pairwise(happens)]
    assert min(pauses) >= 2.5
    assert 0 < happens[0].start < happens[-1].end < events.SECONDS
    assert events.heard(happens[:2], 1).shape == (600 * SOUND_RATE,)
    felt = events.felt(happens[:2], 1)
    assert felt.shape == (6, 600 * IMU_RATE)
    still = felt[:3, -1000:]
    assert still[2].mean() == pytest.approx(9.81, abs=0.02)
    assert abs(still).max() < 10.2


def test_counting() -> None:
    happens = [events.Happening("bell", 0, 10, 0), events.Happening("car", 20, 30, 1)]
    told = [
        Event("bell", 1, 9, 5, 1.0),
        Event("bell", 9.5, 9.8, 9.6, 1.0),  # the same one again
        Event("car", 5, 8, 6, 1.0),  # at another time
    ]
    found = events.compared(happens, told)
    assert (found["found"], found["precision"], found["recall"]) == (1, 1 / 3, 0.5)
    assert (found["start_off_seconds"], found["missed"]) == (1.0, ["car"])
    assert events.compared(happens, [])["recall"] == 0


@pytest.mark.deep
def test_nine_of_ten_events_are_found_and_were_there() -> None:
    found = events.measure()
    for modality in ("audio", "imu"):
        assert found[modality]["happened"] == 40
        assert found[modality]["precision"] >= 0.9, modality
        assert found[modality]["recall"] >= 0.9, modality
