"""The parts of ``Model.windows``: the schedule, the thread ahead, frames that are kept, losses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt import _core
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities.video import prepare as prepare_video
from bindrt.sources.frames import Frame, ShownFrame
from bindrt.sources.playing import FrameClock
from bindrt.streams.windows import Ahead, Schedule
from bindrt.streams.windows.cuts import Losses
from bindrt.streams.windows.frame_windows import FrameWindows
from support import media


@pytest.mark.parametrize(
    ("window", "hop", "whole", "seconds", "rest"),
    [
        (2.0, 1.0, 9, 10.0, None),  # the whole windows hold all of it
        (2.0, 1.0, 9, 10.5, 9),
        (2.0, 1.0, 9, 10.05, None),  # next to nothing is left
        (2.0, 1.0, 0, 0.01, 0),  # all that there is
        (2.0, 1.0, 0, 0.0, None),
        (2.0, 2.0, 5, 11.0, 5),
        (1.0, 3.0, 4, 11.0, None),  # what is left lies between windows
        (1.0, 3.0, 4, 12.5, 4),
    ],
)
def test_the_rest_of_a_recording(
    window: float, hop: float, whole: int, seconds: float, rest: int | None
) -> None:
    assert Schedule.of(window, hop).rest(whole, seconds) == rest


def test_times_do_not_drift() -> None:
    schedule = Schedule.of(2.0, 0.1, origin=10.0)
    assert schedule.start(1_000_003) == 100_010.3
    assert schedule.end(1_000_003) == 100_012.3


def test_ahead_gives_items_then_the_error() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise bindrt.SourceError("a.wav", "it is cut")

    work = Ahead(items(), 2, "test-ahead")
    assert [next(work), next(work), next(work)] == [0, 1, 2]
    with pytest.raises(bindrt.SourceError, match="it is cut"):
        next(work)
    with pytest.raises(StopIteration):
        next(work)
    work.close()


def test_ahead_makes_no_more_than_it_may_and_closes_what_it_reads() -> None:
    made, closed = [], threading.Event()
    full = threading.Semaphore(0)

    def items() -> Iterator[int]:
        try:
            for i in range(1000):
                made.append(i)
                full.release()
                yield i
        finally:
            closed.set()

    work = Ahead(items(), 2, "test-ahead")
    for _ in range(3):  # two in the queue, one in hand
        assert full.acquire(timeout=60)
    work.close()
    assert closed.is_set()
    assert len(made) <= 4
    assert "test-ahead" not in {thread.name for thread in threading.enumerate()}


def test_losses_lie_in_the_windows_that_hold_them() -> None:
    losses = Losses("lost_packets")
    for second, so_far in enumerate([0, 0, 1, 1, 4]):
        losses.met(so_far, second, second + 1)
    assert losses.within(0, 2) == {}
    assert losses.within(1, 3) == {"lost_packets": 1}
    assert losses.within(2, 4.5) == {"lost_packets": 4}
    assert losses.within(3, 4) == {}


def test_the_clock_of_frames() -> None:
    clock = FrameClock(10.0, 0.001)
    assert [round(clock.time(t), 3) for t in (500, 600, 600, None, 1000)] == [0.0, 0.1, 0.2, 0.3, 0.5]
    counted = FrameClock(10.0, 0.0)
    assert [round(counted.time(t), 3) for t in (7, 5, None)] == [0.0, 0.1, 0.2]


@pytest.mark.parametrize("fps", [7.3, 24000 / 1001, 25.0, 30000 / 1001, 60.0])
@pytest.mark.parametrize(("window", "hop"), [(2.0, 1.0), (1.0, 0.3), (3.0, 3.0), (6.5, 2.0)])
def test_the_frames_that_are_kept_are_those_that_the_clips_need(
    fps: float, window: float, hop: float
) -> None:
    """Frames tell their number by their colour; so the input tells which were taken."""
    count = int(9 * fps)
    frames = [np.full((4, 4, 3), (i % 256, i // 256, 0), np.uint8) for i in range(count)]
    schedule = Schedule.of(window, hop)
    made = FrameWindows(fps, schedule)
    found: list[Any] = []
    for i, frame in enumerate(frames):
        found += made.add(i / fps, ShownFrame.of(Frame(_core.Picture(frame), 4, 4)))
    found += made.finish()
    assert len(found) >= 2
    for window_of in found:
        cut = window_of.cut(bindrt.Video(frames, fps=fps), DEFAULT_LIMITS)
        assert cut.item is not None
        part = bindrt.Video(frames, fps=fps, start=cut.start, end=cut.end)
        views = prepare_video(part, DEFAULT_LIMITS)
        expected = views.array if views.weights is None else views.all()
        np.testing.assert_array_equal(cut.item.array, expected, err_msg=f"window {cut.number}")


def test_a_pause_of_the_pictures_has_no_windows() -> None:
    frames = media.frames(20)
    made = FrameWindows(10.0, Schedule.of(1.0, 0.5))
    times = [i / 10 + (100.0 if i >= 10 else 0.0) for i in range(20)]
    found: list[Any] = []
    for time, frame in zip(times, frames, strict=True):
        found += made.add(time, ShownFrame.of(Frame(_core.Picture(frame), 64, 48)))
    found += made.finish()
    assert [cut.number for cut in found] == [0, 1, 201, 202]
    assert [cut.start for cut in found] == [0.0, 0.5, 100.5, 101.0]


def test_few_frames_are_held() -> None:
    frames = media.frames(1)
    made = FrameWindows(30.0, Schedule.of(2.0, 1.0))
    picture = ShownFrame.of(Frame(_core.Picture(frames[0]), 64, 48))
    for i in range(150):
        for _ in made.add(i / 30, picture):
            pass
        assert made.held <= 3 * 12
