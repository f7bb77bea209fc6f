"""The even grid of inertial samples against NumPy's interpolation, and the binding's own checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindrt import Imu, _core, preprocess

AT = np.arange(2000) / 400
ONES, ZEROS = [1.0] * 6, [0.0] * 6
DTYPES = ["f4", "f8", "f2", ">f4", ">f8", "i1", "u2", ">i4", "i8", "u8", "g"]


def reference(samples: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Linear between samples, the last one held; in float64."""
    return np.stack([np.interp(AT, seconds, row.astype(np.float64)) for row in samples])


@st.composite
def recordings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Samples of any dtype and layout, with increasing times."""
    count = draw(st.integers(2, 400))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    samples = random.uniform(0, 100, (6, count)).astype(draw(st.sampled_from(DTYPES)))
    layout = draw(st.sampled_from(["plain", "turned", "reversed", "stepped", "misaligned"]))
    if layout == "turned":
        samples = np.ascontiguousarray(samples.T).T
    elif layout == "reversed":
        samples = samples[::-1, ::-1]
    elif layout == "stepped":
        samples = np.repeat(samples, 3, axis=1)[:, ::3]
    elif layout == "misaligned":
        memory = np.zeros(samples.nbytes + 1, np.uint8)[1:]
        shifted = memory.view(samples.dtype).reshape(samples.shape)
        shifted[...] = samples
        samples = shifted
    steps = random.uniform(0.2, 1, count) * draw(st.sampled_from([1e-4, 0.005, 0.05, 1.0]))
    return samples, np.cumsum(steps)


@settings(deadline=None)
@given(recordings(), st.sampled_from(["f8", "f4", ">f8", "g"]))
def test_equals_numpys_interpolation(case: tuple[np.ndarray, np.ndarray], dtype: str) -> None:
    samples, times = case
    times = times.astype(dtype)
    item = Imu(samples, timestamps=times, max_gap=10, min_seconds=1e-9)
    seconds = (times - times[0]).astype(np.float64)
    got = preprocess.prepare("imu", item).array
    np.testing.assert_allclose(got, reference(samples, seconds), rtol=1e-6, atol=1e-4)


@settings(deadline=None)
@given(recordings(), st.floats(0.5, 5000))
def test_a_rate_is_even_times(case: tuple[np.ndarray, np.ndarray], rate: float) -> None:
    samples, _ = case
    item = Imu(samples, rate=rate, max_gap=10, min_seconds=1e-9)
    got = preprocess.prepare("imu", item).array
    np.testing.assert_allclose(
        got, reference(samples, np.arange(samples.shape[1]) / rate), rtol=1e-6, atol=1e-4
    )


@settings(deadline=None)
@given(recordings(), st.data())
def test_time_reports(case: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    _, times = case
    faults = data.draw(st.lists(st.tuples(st.integers(1, len(times) - 1), st.floats()), max_size=2))
    for at, value in faults:
        times[at] = value
    max_gap = data.draw(st.sampled_from([0.004, 0.01, 0.5]))
    report = _core.check_imu_times(times, len(times), max_gap)
    assert report["not_finite"] == np.count_nonzero(~np.isfinite(times))
    if report["not_finite"]:
        return
    back = np.flatnonzero(np.diff(times) <= 0)
    assert report["unordered"] == (back[0] + 1 if len(back) else -1)
    if len(back):
        return
    seconds = times - times[0]
    assert report["last"] == seconds[-1]
    gaps = np.flatnonzero((np.diff(seconds) > max_gap + 1e-6) & (seconds[:-1] < 5))
    assert report["gap"] == (gaps[0] if len(gaps) else -1)
    assert report["used"] == min(np.searchsorted(seconds, AT[-1]) + 1, len(times))


def test_halves_and_slots() -> None:
    samples = np.random.default_rng(0).normal(size=(6, 1100)).astype(np.float32)
    want, bad = _core.imu_grid(samples, 200.0, ONES, ZEROS)
    assert bad == 0
    half, _ = _core.imu_grid(samples, 200.0, ONES, ZEROS, half=True)
    np.testing.assert_array_equal(half, want.astype(np.float16))
    batch = np.full((3, 6, 2000), 9, np.float32)
    _core.imu_grid(samples, 200.0, ONES, ZEROS, out=batch[1])
    np.testing.assert_array_equal(batch[1], want)
    assert (batch[[0, 2]] == 9).all()


S = np.zeros((6, 9), np.float32)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((S.tolist(), 200.0, ONES, ZEROS), "NumPy array"),
        ((S.astype(np.int32), 200.0, ONES, ZEROS), "dtype int32"),
        ((S.astype(">f4"), 200.0, ONES, ZEROS), "byte order"),
        ((S[:5], 200.0, ONES, ZEROS), r"\(6, N\)"),
        ((S[:, :1], 200.0, ONES, ZEROS), r"\(6, N\)"),
        ((S, 0.0, ONES, ZEROS), "rate is 0"),
        ((S, float("nan"), ONES, ZEROS), "rate is nan"),
        ((S, np.arange(8.0), ONES, ZEROS), r"times has shape \(8,\)"),
        ((S, np.arange(9, dtype=np.int32), ONES, ZEROS), "times has dtype int32"),
        ((S, np.arange(18.0)[::2], ONES, ZEROS), "contiguous"),
        ((S, 200.0, ONES[:5], ZEROS), "gain has 5 numbers"),
        ((S, 200.0, ONES, ZEROS, True, np.zeros((6, 2000), np.float32)), "float16"),
        ((S, 200.0, ONES, ZEROS, False, np.zeros((6, 1999), np.float32)), "1999"),
    ],
)
def test_faults_of_calls(arguments: tuple[Any, ...], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        _core.imu_grid(*arguments)
    with pytest.raises(ValueError, match="at least 2"):
        _core.check_imu_times(200.0, 1, 0.1)
