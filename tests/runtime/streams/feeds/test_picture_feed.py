"""Frames that are windows by themselves: images, depth maps, thermal frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.streams.feeds import PictureFeed, open_feed
from support.media import picture

DEPTH = np.linspace(0.4, 6.0, 48 * 64).reshape(48, 64)


@pytest.mark.parametrize(
    ("feed", "frame", "expected"),
    [
        (PictureFeed("image"), picture(), bindrt.Image(picture())),
        (PictureFeed("image", layout="BGR"), picture(), bindrt.Image(picture(), layout="BGR")),
        (PictureFeed("depth", camera="realsense"), DEPTH, bindrt.Depth(DEPTH, camera="realsense")),
        (
            PictureFeed("depth"),
            (DEPTH * 1000).astype(np.uint16),
            bindrt.Depth((DEPTH * 1000).astype(np.uint16)),
        ),
        (PictureFeed("thermal", low=0, high=10), DEPTH, bindrt.Thermal(DEPTH, low=0, high=10)),
    ],
)
def test_a_frame_is_what_preprocessing_makes_of_it(feed: PictureFeed, frame: Any, expected: Any) -> None:
    (window,) = feed.push(frame, 12.5)
    name = type(expected).__name__.lower()
    assert (np.asarray(window.item.array) == bindrt.preprocess.prepare(name, expected).array).all()
    assert (window.start, window.end) == (12.5, 12.5)
    assert feed.end() == []


def test_one_frame_in_so_many_seconds() -> None:
    feed = PictureFeed("image", hop=0.5)
    taken = [w.start for i in range(60) for w in feed.push(picture(), i / 30)]
    assert taken == pytest.approx([0.0, 0.5, 1.0, 1.5], abs=0.034)


def test_a_clock_that_begins_anew_is_counted_and_noted() -> None:
    feed = PictureFeed("image", hop=1.0)
    windows = [w for time in (50.0, 51.0, 0.0, 0.1, 1.0) for w in feed.push(picture(), time)]
    assert [w.start for w in windows] == [50.0, 51.0, 0.0, 1.0]
    assert windows[2].notes == {"restarts": 1}
    assert feed.counts["restarts"] == 1


@pytest.mark.parametrize(
    ("modality", "frame", "text"),
    [
        ("depth", np.zeros((4, 4, 3)), r"\[H, W\]"),
        ("depth", np.zeros((4, 4), np.uint8), "8-bit"),
        ("thermal", np.zeros((4, 4), np.uint16), "range"),
        ("image", np.zeros((4, 4)), "uint8"),
    ],
)
def test_bad_frames_are_errors(modality: str, frame: Any, text: str) -> None:
    with pytest.raises(bindrt.InputError, match=text):
        PictureFeed(modality).push(frame, 0.0)


@pytest.mark.parametrize(
    ("modality", "options", "text"),
    [
        ("depth", {"colour": 1}, "no such option"),
        ("depth", {"channels": 1}, "no such option"),
        ("depth", {"hop": 0}, "hop=0"),
        ("audio", {}, "sound needs its rate"),
        ("audio", {"rate": 16000, "fps": 3}, "fps="),
        ("video", {"rate": 3}, "rate="),
        ("text", {}, "no sensor"),
    ],
)
def test_options_that_do_not_fit_are_errors(modality: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(bindrt.OptionError, match=text):
        open_feed(modality, **options)
