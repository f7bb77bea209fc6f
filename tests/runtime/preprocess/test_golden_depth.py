"""Depth maps against the reference of our definition."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from bindrt import Depth, preprocess
from support.golden import Case, cases


@pytest.mark.parametrize("case", cases("depth"))
def test_file(case: Case) -> None:
    out = preprocess.depth(case.path, focal=case.entry["focal_px"], baseline=case.entry["baseline_m"])
    assert out.shape == (1, 224, 224)
    assert out.dtype == np.float32
    np.testing.assert_allclose(case.sampled(out), case.reference(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("case", cases("depth"))
def test_units_agree(case: Case) -> None:
    stored = np.load(case.path) if case.path.suffix == ".npy" else np.asarray(PIL.Image.open(case.path))
    metres = stored.astype(np.float32) / np.float32(1 if stored.dtype.kind == "f" else 1000)
    expected = preprocess.depth(metres)
    counts = np.rint(metres * 1000).astype(np.uint16)
    packed = (counts << 3 | counts >> 13).astype(np.uint16)
    effective = np.clip(np.where(metres > 0, metres * 8, 50), 0.01, 50)
    np.testing.assert_allclose(preprocess.depth(counts), expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(preprocess.depth(packed, unit="sunrgbd"), expected, rtol=0, atol=1e-4)
    disparity = 0.075 * 518.8579 / effective
    np.testing.assert_allclose(preprocess.depth(disparity, unit="disparity"), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("case", cases("depth"))
def test_missing_pixels_are_counted(case: Case) -> None:
    notes = preprocess.prepare("depth", Depth(case.path)).notes
    assert notes["unit"] == ("m" if case.path.suffix == ".npy" else "mm")
    assert 0 <= notes["missing_share"] < 1
