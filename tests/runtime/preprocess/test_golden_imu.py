"""IMU samples against the reference of our definition."""

from __future__ import annotations

import numpy as np
import pytest

from bindrt import Imu, preprocess
from support.golden import Case, cases


@pytest.mark.parametrize("case", cases("imu"))
def test_file(case: Case) -> None:
    out = preprocess.imu(case.path)
    assert out.shape == (6, 2000)
    assert out.dtype == np.float32
    np.testing.assert_allclose(case.sampled(out), case.reference(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("case", cases("imu"))
def test_array_agrees_with_the_file(case: Case) -> None:
    fields = np.load(case.path)
    expected = preprocess.imu(case.path)
    np.testing.assert_array_equal(preprocess.imu(fields["samples"], timestamps=fields["t"]), expected)
    if np.ptp(np.diff(fields["t"])) < 1e-6:  # evenly sampled, so that the rate says the same
        item = Imu(fields["samples"], rate=float(fields["rate"]))
        np.testing.assert_allclose(preprocess.prepare("imu", item).array, expected, rtol=0, atol=1e-4)
