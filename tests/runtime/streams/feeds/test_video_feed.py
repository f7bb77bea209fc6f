"""Windows of frames equal those cut from the whole video; few frames are kept, each converted once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bindrt
from bindrt.streams.feeds import ReadyWindow, VideoFeed, layouts, video
from support.media import frames

TOLERANCE = 1e-5


def cut(pictures: list[np.ndarray], times: np.ndarray, window: ReadyWindow, fps: float) -> np.ndarray:
    inside = np.flatnonzero((times >= window.start) & (times < window.end))
    return bindrt.preprocess.video(bindrt.Video([pictures[i] for i in inside], fps=fps))


def require_equal(windows: list[ReadyWindow], pictures: Any, times: np.ndarray, fps: float) -> None:
    for window in windows:
        expected = cut(pictures, times, window, fps)
        found = np.asarray(window.item.array)
        if len(found) < len(expected):  # of equal views one
            found = np.tile(found, (len(expected) // len(found), 1, 1, 1, 1))
        assert np.abs(found - expected).max() < TOLERANCE


@settings(max_examples=8, deadline=None)
@given(
    fps=st.sampled_from([5.0, 10.0, 12.5]),
    window=st.sampled_from([1.0, 2.0, 3.0, 4.4]),
    hop=st.sampled_from([0.4, 1.0, 2.5]),
    timed=st.booleans(),
)
def test_windows_are_those_of_the_whole_video(fps: float, window: float, hop: float, timed: bool) -> None:
    pictures = frames(int((window + 2.5) * fps))
    times = np.arange(len(pictures)) / fps
    feed = VideoFeed(window, hop, fps=fps)
    windows = [
        found
        for picture, time in zip(pictures, times, strict=True)
        for found in feed.push(picture, time if timed else None)
    ]
    windows += feed.end()
    assert len(windows) == int((len(pictures) / fps - window) / hop + 1e-6) + 1
    require_equal(windows, pictures, times, fps)
    assert not any("nearest_frames" in w.notes for w in windows)


def test_the_rate_is_found_from_the_times() -> None:
    pictures, times = frames(60), np.arange(60) / 12.0
    feed = VideoFeed(3.0, 1.0)
    windows = [w for p, t in zip(pictures, times, strict=True) for w in feed.push(p, t)] + feed.end()
    assert [w.start for w in windows] == [0.0, 1.0, 2.0]
    require_equal(windows, pictures, times, 12.0)


def test_only_frames_that_a_window_needs_are_kept_and_each_is_converted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    original = video.picture_of
    monkeypatch.setattr(video, "picture_of", lambda *given: made.append(1) or original(*given))
    feed = VideoFeed(2.0, 1.0, fps=20)
    pictures = frames(200)
    windows = []
    for picture in pictures:
        windows += feed.push(picture)
        held = {id(frame) for each in feed._open for frame in each.frames.values()}
        assert len(held) <= 3
    assert len(windows) == 9
    assert len(made) <= 2 * 9


@pytest.mark.parametrize("layout", ["BGR", "RGBA", "L", "NV12", "YUYV", "UYVY", "BAYER_RGGB", "BAYER_GBRG"])
def test_layouts_of_cameras(layout: str) -> None:
    shape = {
        "BGR": (48, 64, 3),
        "RGBA": (48, 64, 4),
        "NV12": (72, 64),
        "YUYV": (48, 64, 2),
        "UYVY": (48, 128),
    }
    random = np.random.default_rng(4)
    raw = [random.integers(16, 235, shape.get(layout, (48, 64)), np.uint8) for _ in range(20)]
    feed = VideoFeed(2.0, 1.0, fps=10, layout=layout)
    windows = [w for frame in raw for w in feed.push(frame)]
    rgb = [layouts.rgb_of(layouts.checked_frame(frame, layout), layout) for frame in raw]
    assert rgb[0].shape == (48, 64, 3)
    assert len(windows) == 1
    require_equal(windows, rgb, np.arange(20) / 10, 10)


def test_known_colours_of_each_layout() -> None:
    red = {
        "RGB": np.full((4, 4, 3), (255, 0, 0), np.uint8),
        "BGR": np.full((4, 4, 3), (0, 0, 255), np.uint8),
        "RGBA": np.full((4, 4, 4), (255, 0, 0, 7), np.uint8),
        "YUYV": np.tile(np.array([[82, 90], [82, 240]], np.uint8), (4, 2, 1)),
        "UYVY": np.tile(np.array([[90, 82], [240, 82]], np.uint8), (4, 2, 1)),
        "NV12": np.concatenate([np.full((4, 4), 82, np.uint8), np.tile([90, 240], (2, 2)).astype(np.uint8)]),
        "BAYER_RGGB": np.tile(np.array([[255, 0], [0, 0]], np.uint8), (2, 2)),
        "BAYER_BGGR": np.tile(np.array([[0, 0], [0, 255]], np.uint8), (2, 2)),
    }
    for layout, frame in red.items():
        colour = layouts.rgb_of(layouts.checked_frame(frame, layout), layout).mean(axis=(0, 1))
        assert np.abs(colour - (255, 0, 0)).max() < 6, layout


def test_gaps_duplicates_and_late_frames_are_counted() -> None:
    pictures, feed = frames(60), VideoFeed(2.0, 1.0)
    times = [i / 10 for i in range(60)]
    order = [*range(15), 13, 14, 14, *range(15, 20), *range(45, 60)]
    windows = [w for i in order for w in feed.push(pictures[i], times[i])]
    assert [w.start for w in windows] == [0.0, 1.0, 3.0]
    assert feed.counts["duplicates"] == 2
    assert feed.counts["late"] == 1
    assert feed.counts["gaps"] == 1
    assert feed.counts["windows_lost"] == 1  # that from 2 s has no frame


@pytest.mark.parametrize("fps", [None, 10.0])
def test_frames_out_of_order_within_the_bound_are_put_right(fps: float | None) -> None:
    pictures, times = frames(40), np.arange(40) / 10
    order = [1, 0, 2, 4, 3, 5, 6, 9, 7, 8, *range(10, 19), 20, 19, *range(21, 40)]
    feed = VideoFeed(2.0, 1.0, fps=fps, reorder=0.25)
    windows = [w for i in order for w in feed.push(pictures[i], times[i])] + feed.end()
    assert [w.start for w in windows] == [0.0, 1.0, 2.0]
    require_equal(windows, pictures, times, 10.0)
    assert feed.counts["reordered"] == 5
    assert feed.counts["late"] == feed.counts["duplicates"] == 0
    assert [w.notes.get("reordered") for w in windows] == [5, 1, None]


def test_frames_in_order_wait_for_nothing() -> None:
    pictures, feed = frames(31), VideoFeed(2.0, 1.0, reorder=0.25)
    windows = [feed.push(p, i / 10) for i, p in enumerate(pictures)]
    assert [at for at, found in enumerate(windows) if found] == [
        20,
        30,
    ]  # with the first frame after a window


def test_a_restart_begins_the_windows_anew() -> None:
    pictures, feed = frames(25), VideoFeed(2.0, 1.0, fps=10)
    windows = [w for i, p in enumerate(pictures) for w in feed.push(p, 100 + i / 10)]
    windows += [w for i, p in enumerate(pictures) for w in feed.push(p, i / 10)]
    assert [w.start for w in windows] == [100.0, 0.0]
    assert feed.counts["restarts"] == 1
    assert feed.counts["windows_lost"] == 2
    assert windows[1].notes["restarts"] == 1


def test_frames_of_another_size_lose_their_window_and_say_why() -> None:
    feed = VideoFeed(2.0, 2.0, fps=5)
    windows = [w for p in [*frames(5), *frames(5, 32, 32), *frames(10)] for w in feed.push(p)]
    assert [w.start for w in windows] == [2.0]
    assert feed.counts["windows_lost"] == 1
    assert "sizes" in feed.last_error


@pytest.mark.parametrize(
    ("frame", "layout", "time", "text"),
    [
        (np.zeros((4, 4), np.uint8), "RGB", 0.0, "not the shape of a frame in RGB"),
        (np.zeros((4, 4, 3), np.float32), "RGB", 0.0, "uint8"),
        (np.zeros((5, 4), np.uint8), "NV12", 0.0, "NV12"),
        (np.zeros((4, 4, 3), np.uint8), "RGB", "now", "its time is 'now'"),
        (np.zeros((4, 4, 3), np.uint8), "RGB", None, "no time"),
        (np.zeros((0, 4, 3), np.uint8), "RGB", 0.0, "empty"),
    ],
)
def test_bad_frames_are_errors(frame: Any, layout: str, time: Any, text: str) -> None:
    feed = VideoFeed(2.0, 1.0, layout=layout)
    with pytest.raises(bindrt.InputError, match=text):
        feed.push(frame, time)


def test_bad_options_are_errors() -> None:
    with pytest.raises(bindrt.OptionError, match="layout='XYZ'"):
        VideoFeed(layout="XYZ")
    with pytest.raises(bindrt.OptionError, match="fps=0"):
        VideoFeed(fps=0)
