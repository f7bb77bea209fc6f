"""Videos against the original's views."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bindrt import Video, preprocess
from bindrt.modalities.steps.clips import clip_times, frame_pairs
from bindrt.sources import open_source
from bindrt.sources.video import probe
from support.golden import HERE, Case, cases
from support.media import decoded

MANIFEST = json.loads((HERE / "manifest.json").read_text())["video"]
TOLERANCE = 2e-3


@pytest.mark.parametrize("case", cases("video"))
def test_file(case: Case) -> None:
    out = preprocess.video(case.path)
    assert out.shape == (15, 3, 2, 224, 224)
    assert out.dtype == np.float32
    if not case.is_whole:
        np.testing.assert_allclose(
            case.sampled(out[..., 3::8, 3::8]), case.reference(), rtol=0, atol=TOLERANCE
        )
        return
    np.testing.assert_allclose(out[..., 3::8, 3::8], case.reference("sampled"), rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(out[7], case.reference("view7"), rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(out.mean(axis=(2, 3, 4)), case.reference("mean"), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("case", cases("video"))
def test_facts_of_the_file(case: Case) -> None:
    clip = probe(open_source(case.path))
    assert clip.frames == case.entry["frames"]
    assert clip.fps == pytest.approx(case.entry["fps"], abs=1e-9)


@pytest.mark.parametrize("case", cases("video"))
def test_frames_agree_with_the_file(case: Case) -> None:
    frames = decoded(case.path)
    expected = preprocess.video(case.path)
    np.testing.assert_array_equal(preprocess.video(Video(frames, fps=case.entry["fps"])), expected)
    np.testing.assert_array_equal(preprocess.video(Video(np.stack(frames), case.entry["fps"])), expected)
    np.testing.assert_array_equal(preprocess.video(case.path.read_bytes()), expected)


@pytest.mark.parametrize("name", MANIFEST)
def test_clip_times_and_frames(name: str) -> None:
    entry = MANIFEST[name]
    times = clip_times(entry["frames"] / entry["fps"], 5, 2.0)
    assert [[float(s), float(e)] for s, e in times] == entry["clips_sec"]
    assert [list(p) for p in frame_pairs(entry["frames"], entry["fps"], 5, 2.0)] == entry["frame_indices"]
