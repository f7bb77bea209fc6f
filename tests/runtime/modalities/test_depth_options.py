"""The options of a depth map that say what its counts are and which camera took it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bindrt import Depth, InputError, preprocess

COUNTS = (np.add.outer(np.arange(30), np.arange(40)) * 60 + 500).astype(np.uint16)


@pytest.mark.parametrize(("unit", "counts"), [("kitti", 256), ("tum", 5000), ("mm", 1000)])
@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_counts_of_a_metre(unit: Any, counts: int, dtype: type[np.generic]) -> None:
    want = preprocess.depth(COUNTS / counts)
    np.testing.assert_allclose(preprocess.depth(COUNTS.astype(dtype), unit=unit), want, atol=1e-5)
    np.testing.assert_allclose(
        preprocess.depth(COUNTS.astype(dtype), counts_per_metre=counts), want, atol=1e-5
    )


def test_zeros_are_missing_in_every_unit() -> None:
    holes = COUNTS.copy()
    holes[3, :5] = 0
    for options in ({"unit": "kitti"}, {"unit": "tum"}, {"counts_per_metre": 4000}):
        notes = preprocess.prepare("depth", Depth(holes, **options)).notes  # type: ignore[arg-type]
        assert notes["missing_pixels"] == 5
    assert notes["unit"] == "1/4000 m"


@pytest.mark.parametrize(
    "camera", ["kinect", "kinect1", "kinect_v1", "kinect2", "kinect_v2", "realsense", "xtion"]
)
def test_cameras(camera: Any) -> None:
    numbers = preprocess.CAMERAS[camera]
    np.testing.assert_array_equal(
        preprocess.depth(COUNTS, camera=camera), preprocess.depth(COUNTS, **numbers)
    )


@pytest.mark.parametrize(("scale", "counts"), [(0.001, 1000), (0.00025, 4000), (1000, 1000), (5000, 5000)])
def test_a_scale_of_counts_is_refused(scale: float, counts: int) -> None:
    """RealSense's depth scale is metres a count, Open3D's counts a metre."""
    with pytest.raises(InputError, match=f"model_scale is {scale:g}.*counts_per_metre={counts}"):
        preprocess.depth(COUNTS, model_scale=scale)
    with (
        pytest.warns(DeprecationWarning, match="model_scale"),
        pytest.raises(InputError, match=f"depth_scale is {scale:g}.*counts_per_metre={counts}"),
    ):
        preprocess.depth(COUNTS, depth_scale=scale)


def test_the_old_name_of_the_scale() -> None:
    want = preprocess.depth(COUNTS, model_scale=1.0)
    with pytest.warns(DeprecationWarning, match="model_scale"):
        np.testing.assert_array_equal(preprocess.depth(COUNTS, depth_scale=1.0), want)
    with pytest.warns(DeprecationWarning, match="model_scale"), pytest.raises(InputError, match="old name"):
        preprocess.depth(COUNTS, depth_scale=1.0, model_scale=2.0)
    assert not np.array_equal(want, preprocess.depth(COUNTS, depth_scale=8.0))


def test_options_that_contradict() -> None:
    with pytest.raises(InputError, match="both a camera and its numbers"):
        preprocess.depth(COUNTS, camera="xtion", focal=500.0)
    with pytest.raises(InputError, match="both a unit and counts_per_metre"):
        preprocess.depth(COUNTS, unit="mm", counts_per_metre=1000)
    with pytest.raises(InputError, match="camera is 'xbox'"):
        preprocess.depth(COUNTS, camera="xbox")  # type: ignore[arg-type]
    for values in (COUNTS.astype(np.uint8), COUNTS.astype(np.float32)):
        with pytest.raises(InputError, match="integers of 16 bits"):
            preprocess.depth(values, unit="kitti")


@pytest.mark.parametrize("value", [1e10, 3e38, 1e308, -1e308])
def test_numbers_beyond_any_camera_have_a_note(value: float) -> None:
    """Blender writes 10¹⁰ where it sees nothing."""
    depth = np.full((30, 40), 2.0)
    depth[4, :7] = value
    prepared = preprocess.prepare("depth", depth)
    assert prepared.notes["beyond_any_camera"] == 7
    want = preprocess.depth(np.where(depth != 2, 50.0, 2.0))
    np.testing.assert_allclose(prepared.array, want, atol=1e-6)
    depth[4, :7] = np.inf
    assert "beyond_any_camera" not in preprocess.prepare("depth", depth).notes


@pytest.mark.parametrize("camera", ["azure", "zed", ["xtion"]])
def test_an_unknown_camera_says_which_numbers_to_give(camera: Any) -> None:
    with pytest.raises(InputError, match=r"one of kinect, .*xtion; for another pass focal, .* and baseline"):
        preprocess.depth(COUNTS, camera=camera)


def test_the_warning_of_the_old_name_points_at_the_caller() -> None:
    for call in (lambda: preprocess.depth(COUNTS, depth_scale=4.0), lambda: Depth(COUNTS, depth_scale=4.0)):
        with pytest.warns(DeprecationWarning, match="model_scale") as caught:
            call()
        assert [warning.filename for warning in caught] == [__file__]
