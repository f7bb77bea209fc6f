"""Depth maps against NumPy and Pillow, and the binding's own checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindrt import Depth, _core, preprocess
from support import maps

CAMERA = (518.8579, 0.075, 8.0)


@settings(deadline=None)
@given(
    maps.arrays(),
    st.sampled_from(["m", "mm", "disparity"]),
    st.tuples(st.floats(1, 2000), st.floats(0.001, 1), st.floats(0.1, 100)),
    st.sampled_from(["farthest", "nearest"]),
)
def test_equals_numpy_and_pillow(
    values: np.ndarray, unit: Any, camera: tuple[float, float, float], missing: Any
) -> None:
    prepared = preprocess.prepare("depth", Depth(values, unit, *camera, missing))
    want, gone = maps.depth(values, unit, *camera, missing)
    assert prepared.notes["missing_pixels"] == gone
    np.testing.assert_allclose(prepared.array, want, rtol=1e-6, atol=1e-5)


@settings(deadline=None)
@given(maps.arrays(("u2", "i4", "u4", "i8", ">u2"), 65535), st.floats(0.1, 100))
def test_sun_rgbd(values: np.ndarray, scale: float) -> None:
    prepared = preprocess.prepare("depth", Depth(values, "sunrgbd", model_scale=scale))
    want, gone = maps.depth(values, "sunrgbd", 518.8579, 0.075, scale, "farthest")
    assert prepared.notes["missing_pixels"] == gone
    np.testing.assert_allclose(prepared.array, want, rtol=1e-6, atol=1e-5)


@settings(deadline=None)
@given(maps.arrays(("f4", "f8")), st.lists(st.floats(), min_size=1, max_size=9))
def test_any_float_is_a_pixel(values: np.ndarray, numbers: list[float]) -> None:
    values = values.copy()
    with np.errstate(over="ignore"):
        values.flat[: len(numbers)] = numbers[: values.size]
    gone = ~np.isfinite(values) | (values <= 0)
    prepared = preprocess.prepare("depth", Depth(values))
    assert prepared.notes["missing_pixels"] == gone.sum()
    filled = np.where(gone, 7, values).clip(1e-6, 1e6)
    filled[gone] = 1e6
    want, _ = maps.depth(filled, "m", *CAMERA, "farthest")
    np.testing.assert_allclose(prepared.array, want, rtol=1e-6, atol=1e-5)


def test_threads_halves_and_slots() -> None:
    counts = np.random.default_rng(0).integers(0, 6000, (300, 400), np.uint16)
    want, missing = _core.depth_square(counts, "mm", *CAMERA)
    np.testing.assert_array_equal(_core.depth_square(counts, "mm", *CAMERA, threads=4)[0], want)
    half, _ = _core.depth_square(counts, "mm", *CAMERA, half=True)
    np.testing.assert_array_equal(half, want.astype(np.float16))
    batch = np.full((3, 1, 224, 224), 9, np.float32)
    _, again = _core.depth_square(counts, "mm", *CAMERA, out=batch[1])
    np.testing.assert_array_equal(batch[1], want)
    assert again == missing == np.count_nonzero(counts == 0)
    assert (batch[[0, 2]] == 9).all()


M = np.ones((9, 9), np.float32)
BIG = np.ones((300, 224), np.float32)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((M.tolist(), "m", *CAMERA), "NumPy array"),
        ((M > 0, "m", *CAMERA), "dtype bool"),
        ((M.astype(">f4"), "m", *CAMERA), "byte order"),
        ((M.astype(np.float16), "m", *CAMERA), "dtype float16"),
        ((M[0], "m", *CAMERA), r"\(H, W\)"),
        ((M[:0], "m", *CAMERA), "not empty"),
        ((M[:, ::2], "m", *CAMERA), "adjacent"),
        ((M, "cm", *CAMERA), "unit is 'cm'"),
        ((M, "sunrgbd", *CAMERA), "integers"),
        ((M, "m", 0.0, 0.075, 8.0), "focal is 0"),
        ((M, "m", 500.0, float("nan"), 8.0), "baseline is nan"),
        ((M, "m", 500.0, 0.1, -1.0), "depth_scale is -1"),
        ((M, "m", *CAMERA, False, False, 0), "threads is 0"),
        ((M, "m", *CAMERA, False, True, 1, np.zeros((1, 224, 224), np.float32)), "float16"),
        ((BIG, "m", *CAMERA, False, False, 1, BIG[20:244][None]), "shares memory"),
    ],
)
def test_faults_of_calls(arguments: tuple[Any, ...], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        _core.depth_square(*arguments)
