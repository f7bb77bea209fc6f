"""Each op through the driver and the kernels of this build, against the CPU side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.gpu import cases, check
from bindrt import _core

SMALL = list(cases.cases(small=True))


@pytest.mark.parametrize("case", SMALL, ids=lambda case: f"{case.op}: {case.name}")
def test_as_on_the_cpu(gpu: Any, case: cases.Case) -> None:
    got, times = case.gpu(2)
    assert times["kernels"], "the op launched nothing"
    for seconds in (times["rounds"], *times["kernels"].values()):
        assert seconds.shape == (2,)
        assert np.isnan(seconds).all() == gpu.driver()["simulated"]
    assert check.difference(got, case.cpu()) <= case.tolerance


def test_bad_input(gpu: Any) -> None:
    views = np.zeros((3, 4), np.float32)
    with pytest.raises(ValueError, match="counts sum to 2 but views has 3 rows"):
        gpu.pool_views(views, [2])
    with pytest.raises(ValueError, match="rounds is 0; it must be 1 to 10000"):
        gpu.pool_views(views, [3], rounds=0)
    with pytest.raises(ValueError, match=r"must be \(items, 6, N\)"):
        gpu.imu_grid(np.zeros((1, 5, 9), np.float32), 100.0, [1] * 6, [0] * 6)
    with pytest.raises(ValueError, match="the rate is"):
        gpu.imu_grid(np.zeros((1, 6, 9), np.float32), float("nan"), [1] * 6, [0] * 6)
    with pytest.raises(ValueError, match="too far for a GPU"):
        gpu.resample(np.zeros((1, 9), np.float32), 16_000 * 999, 16_000)
    with pytest.raises(ValueError, match="inside the 9 samples"):
        gpu.mel_clips(np.zeros((1, 9), np.float32), [(0, 10)])
    with pytest.raises(ValueError, match="layout RGB takes"):
        gpu.image_input([np.zeros((4, 4), np.uint8)])
    with pytest.raises(TypeError, match="not a Picture"):
        gpu.video_crops([np.zeros((4, 4, 3), np.uint8)])
    with pytest.raises(ValueError, match="integers, not floats"):
        gpu.depth_square([np.zeros((4, 4), np.float32)], "sunrgbd", 500.0, 0.1, 8.0)
    with pytest.raises(ValueError, match="both needed, or neither for uint8"):
        gpu.thermal_square([np.zeros((4, 4), np.float32)])
    with pytest.raises(gpu.DriverError, match="there is no GPU 9"):
        gpu.pool_views(views, [3], device=9)


def test_nothing_at_all(gpu: Any) -> None:
    pooled, _ = gpu.pool_views(np.zeros((0, 4), np.float32), [])
    assert pooled.shape == (0, 4)
    assert gpu.resample(np.zeros((0, 4), np.float32), 8000, 16000)[0].shape == (0, 8)
    assert gpu.mel_clips(np.zeros((0, 4), np.float32), [(0, 4)])[0].shape == (0, 1, 128, 204)
    assert gpu.image_input([])[0].shape == (0, 3, 224, 224)
    assert gpu.video_crops([])[0].shape == (0, 3, 3, 224, 224)
    assert gpu.depth_square([], "m", 500.0, 0.1, 8.0)[0].shape == (0, 1, 224, 224)
    assert gpu.thermal_square([])[0].shape == (0, 1, 224, 224)


def test_rows_of_any_order(gpu: Any) -> None:
    """Rows from bottom to top, and with a gap between them."""
    frame = np.random.default_rng(0).integers(0, 9000, (40, 50), np.uint16)
    for view in (frame[::-1], frame[:, 5:31], frame[::2]):
        got, _ = gpu.thermal_square([view], 100, 8000)
        np.testing.assert_array_equal(got[0], _core.thermal_square(np.ascontiguousarray(view), 100, 8000))


def test_not_finite_samples_are_counted(gpu: Any) -> None:
    samples = np.ones((2, 6, 100), np.float32)
    samples[1, 2, 3:6] = np.nan, np.inf, -np.inf
    _, bad, _ = gpu.imu_grid(samples, 400.0, [1] * 6, [0] * 6)
    assert bad.tolist() == [0, 3]
