"""What holds for any input: against plain formulas in float64, and Pillow's own pipeline."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindrt import Audio, Depth, preprocess
from bindrt.modalities.steps.clips import clip_samples, clip_times, frame_pairs


@given(duration=st.floats(0, 1e6), clips=st.integers(1, 9), seconds=st.floats(0.1, 10))
def test_clips_cover_the_recording(duration: float, clips: int, seconds: float) -> None:
    times = clip_times(duration, clips, seconds)
    assert len(times) == clips
    assert times[0][0] == 0
    assert all(end - start == Fraction(seconds) for start, end in times)
    assert times == sorted(times)
    if duration >= seconds and clips > 1:
        assert float(times[-1][1]) == pytest.approx(duration, rel=1e-12)
    if duration <= seconds:
        assert set(times) == {(0, Fraction(seconds))}


@given(frames=st.integers(1, 10**6), fps=st.floats(0.01, 1000))
def test_frames_are_inside(frames: int, fps: float) -> None:
    pairs = frame_pairs(frames, fps, 5, 2.0)
    assert len(pairs) == 5
    assert pairs[0][0] == 0
    for first, last in pairs:
        assert 0 <= first <= last < frames


@given(total=st.integers(0, 10**7))
def test_samples_are_inside(total: int) -> None:
    for r in clip_samples(total, 16000, 3, 2.0):
        assert 0 <= r.start <= r.stop <= total
        assert total < 32000 or len(r) in (31999, 32000)


@given(
    total=st.integers(0, 10**9),
    rate=st.sampled_from([7, 8000, 16000, 44100]),
    clips=st.integers(1, 9),
    seconds=st.floats(0.1, 10),
)
def test_samples_are_those_of_the_exact_times(total: int, rate: int, clips: int, seconds: float) -> None:
    times = clip_times(total / rate, clips, seconds)
    expected = [range(min(int(a * rate), total), min(int(b * rate), total)) for a, b in times]
    assert clip_samples(total, rate, clips, seconds) == expected


@settings(deadline=None, max_examples=20)
@given(channels=st.integers(1, 4), rate=st.sampled_from([8000, 16000, 22050]), seconds=st.floats(0.03, 9))
def test_integers_are_floats_at_full_scale(channels: int, rate: int, seconds: float) -> None:
    wave = np.random.default_rng(0).integers(
        -20000, 20000, (channels, max(int(rate * seconds), 300)), np.int16
    )
    expected = preprocess.audio(Audio(wave / np.float32(32768), rate=rate))
    np.testing.assert_array_equal(preprocess.audio(Audio(wave, rate=rate)), expected)
    wide = wave.astype(np.int32) << 16
    np.testing.assert_array_equal(preprocess.audio(Audio(wide, rate=float(rate))), expected)


@settings(deadline=None, max_examples=20)
@given(
    share=st.floats(0, 1),
    missing=st.sampled_from(["farthest", "nearest"]),
    bad=st.sampled_from([0, np.nan, np.inf, -1]),
)
def test_missing_depth_is_counted_and_bounded(share: float, missing: str, bad: float) -> None:
    depth = np.random.default_rng(0).uniform(0.3, 5, (60, 80)).astype(np.float32)
    where = np.random.default_rng(1).uniform(size=depth.shape) < share
    depth[where] = bad
    out = preprocess.prepare("depth", Depth(depth, missing=missing))  # type: ignore[arg-type]
    assert out.notes["missing_pixels"] == where.sum()
    assert np.isfinite(out.array).all()
    filled = np.where(where, 1e6 if missing == "farthest" else 1e-6, depth)
    np.testing.assert_allclose(out.array, preprocess.depth(filled), rtol=0, atol=1e-4)
