"""Frames of rarer pixel formats become the RGB that the original's decoder makes of them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from bindrt import Video, _core, preprocess
from bindrt.sources.colour import ROUNDING, picture_of
from support.golden import HERE

FOLDER = HERE / "decoder"
FRAMES = np.load(FOLDER / "frames.npz")
INTERPOLATED = ("420_10", "420_12", "440")  # chroma rows between which the decoder interpolates


@pytest.mark.parametrize("name", FRAMES.files)
def test_pixels_are_those_of_the_original_s_decoder(name: str) -> None:
    """All but the last row of interpolated formats: FFmpeg 4's filter takes the wrong chroma there."""
    with av.open(str(FOLDER / name)) as media:
        *_, last = media.decode(video=0)
    made = _core.picture_to_rgb(picture_of(last)).astype(int)
    rows = slice(0, -1) if name.startswith(INTERPOLATED) else slice(None)
    assert np.abs(made - FRAMES[name])[rows].max() <= ROUNDING


@pytest.mark.parametrize("name", ["420_interlaced.mp4", "422_10.mkv", "420_10.mkv"])
def test_views_are_made_of_these_pixels(name: str) -> None:
    views = preprocess.video(FOLDER / name)
    expected = preprocess.video(Video(_all(FOLDER / name), fps=25))
    np.testing.assert_array_equal(views, expected)


def _all(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as media:
        return [_core.picture_to_rgb(picture_of(frame)) for frame in media.decode(video=0)]
