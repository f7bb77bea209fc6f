"""Each op through the driver and the kernels of this build, against the CPU side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.gpu import cases, check

SMALL = list(cases.cases(small=True))


@pytest.mark.parametrize("case", SMALL, ids=lambda case: f"{case.op}: {case.name}")
def test_as_on_the_cpu(gpu: Any, case: cases.Case) -> None:
    got, seconds = case.gpu(2)
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
    with pytest.raises(gpu.DriverError, match="there is no GPU 9"):
        gpu.pool_views(views, [3], device=9)


def test_nothing_at_all(gpu: Any) -> None:
    pooled, _ = gpu.pool_views(np.zeros((0, 4), np.float32), [])
    assert pooled.shape == (0, 4)


def test_not_finite_samples_are_counted(gpu: Any) -> None:
    samples = np.ones((2, 6, 100), np.float32)
    samples[1, 2, 3:6] = np.nan, np.inf, -np.inf
    _, bad, _ = gpu.imu_grid(samples, 400.0, [1] * 6, [0] * 6)
    assert bad.tolist() == [0, 3]
