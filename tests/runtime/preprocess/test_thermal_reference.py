"""Thermal frames and their percentiles against NumPy and Pillow, and the binding's own checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindrt import InputError, Thermal, _core, preprocess
from support import maps


@settings(deadline=None)
@given(maps.arrays(), st.tuples(st.floats(-200, 200), st.floats(0.01, 300)))
def test_a_range_equals_numpy_and_pillow(values: np.ndarray, given_range: tuple[float, float]) -> None:
    low, width = given_range
    prepared = preprocess.prepare("thermal", Thermal(values, low, low + width))
    assert prepared.notes == {"low": low, "high": low + width}
    np.testing.assert_allclose(prepared.array, maps.thermal(values, low, low + width), rtol=0, atol=2e-7)


@settings(deadline=None)
@given(maps.arrays(("u1",), 255))
def test_bytes_are_exactly_pillows(values: np.ndarray) -> None:
    want = maps.centre_square(np.ascontiguousarray(values), PIL.Image.Resampling.BICUBIC)
    got = preprocess.thermal(values)
    np.testing.assert_array_equal(got[0], want.astype(np.float32) / np.float32(255))


@settings(deadline=None)
@given(maps.arrays(), st.tuples(st.floats(0, 99), st.floats(0.5, 100)))
def test_percentiles_are_numpys(values: np.ndarray, pair: tuple[float, float]) -> None:
    low, high = pair[0], min(pair[0] + pair[1], 100.0)
    exact = values.astype(np.float64)
    want = np.percentile(exact, (low, high))
    if want[0] < want[1]:
        notes = preprocess.prepare("thermal", Thermal(values, percentiles=(low, high))).notes
        # The step between two float32 neighbours is taken in float32, as NumPy takes it.
        np.testing.assert_allclose([notes["low"], notes["high"]], want, rtol=1e-6, atol=1e-12)
    else:
        with pytest.raises(InputError, match="flat"):
            preprocess.thermal(values, percentiles=(low, high))


@settings(deadline=None)
@given(
    st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]),
    st.data(),
    st.tuples(st.floats(0, 100), st.floats(0, 100)),
)
def test_percentiles_of_any_numbers(dtype: str, data: st.DataObject, pair: tuple[float, float]) -> None:
    """Few numbers over the whole range of their type, many of them equal."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        element = st.floats(-(2.0**100), 2.0**100, width=kind.itemsize * 8)
    else:
        limits = np.iinfo(kind)
        element = st.integers(limits.min // 2, limits.max // 2)  # NumPy's own differences overflow beyond
    pool = data.draw(st.lists(element, min_size=1, max_size=6))
    values = np.array(data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=40)), kind)
    got = _core.map_percentiles(values[None], *pair)
    np.testing.assert_allclose(got, np.percentile(values, pair), rtol=1e-12, atol=0)


@settings(deadline=None)
@given(maps.arrays(("f4", "f8")), st.lists(st.floats(), min_size=1, max_size=9))
def test_numbers_that_are_not_finite_are_counted(values: np.ndarray, numbers: list[float]) -> None:
    values = values.copy()
    with np.errstate(over="ignore"):
        values.flat[: len(numbers)] = numbers[: values.size]
    bad = np.count_nonzero(~np.isfinite(values))
    assert _core.count_not_finite(values) == bad
    if bad:
        with pytest.raises(InputError, match=f"{bad} of {values.size} pixels are NaN or infinite"):
            preprocess.thermal(values, 0, 1)


def test_threads_halves_and_slots() -> None:
    counts = np.random.default_rng(0).integers(0, 65536, (300, 400), np.uint16)
    for frame, bounds in ((counts, (1000.0, 60000.0)), ((counts >> 8).astype(np.uint8), (None, None))):
        want = _core.thermal_square(frame, *bounds)
        np.testing.assert_array_equal(_core.thermal_square(frame, *bounds, threads=4), want)
        half = _core.thermal_square(frame, *bounds, half=True)
        np.testing.assert_array_equal(half, want.astype(np.float16))
        batch = np.full((3, 1, 224, 224), 9, np.float32)
        _core.thermal_square(frame, *bounds, out=batch[1])
        np.testing.assert_array_equal(batch[1], want)
        assert (batch[[0, 2]] == 9).all()


def test_ranges_beyond_a_float() -> None:
    frame = np.array([[-1e308, 1e308]])
    with pytest.raises(InputError, match="too wide"):
        preprocess.thermal(frame, -1e308, 1e308)
    with pytest.raises(InputError, match="too wide"):
        preprocess.thermal(frame, percentiles=(0, 100))
    assert np.isfinite(preprocess.thermal(frame, 0, 1)).all()


M = np.ones((9, 9), np.float32)
BIG = np.ones((300, 224), np.float32)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((M.tolist(), 0, 1), "NumPy array"),
        ((M[None], 0, 1), r"\(H, W\)"),
        ((M, 1, 1), "low must be below high"),
        ((M, 0, float("inf")), "finite"),
        ((M, float("nan"), 1), "finite"),
        ((M, 1), "both needed"),
        ((M,), "neither for uint8"),
        ((M, 0, 1, False, 5000), "threads is 5000"),
        ((M, 0, 1, True, 1, np.zeros((1, 224, 224), np.float32)), "float16"),
        ((BIG, 0, 1, False, 1, BIG[20:244][None]), "shares memory"),
    ],
)
def test_faults_of_calls(arguments: tuple[Any, ...], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        _core.thermal_square(*arguments)


def test_faults_of_percentiles() -> None:
    for percent in (-0.1, 100.1, float("nan")):
        with pytest.raises(ValueError, match="0 to 100"):
            _core.map_percentiles(M, percent, 50)
    broken = np.array([[np.nan, -np.inf, np.inf, 1, 2, 3]])  # to be refused before; any result will do
    assert len(_core.map_percentiles(broken, 0, 100)) == 2
