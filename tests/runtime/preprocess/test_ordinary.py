"""Items that csrc/prepare prepares without the interpreter's lock, against Python's way; what it leaves."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt import Depth, Imu, Thermal, preprocess
from bindrt.modalities import MODALITIES
from bindrt.preprocess.dispatch import prepare_ordinary, prepare_views
from support import both_ways
from support.golden import roots

random = np.random.default_rng(0)
SAMPLES = random.normal(0, 3, (6, 1100)).astype(np.float32)
TIMES = np.arange(1100) / 200

#: Modalities whose files are left to Python, and the files that are left of the others.
MODALITIES_LEFT = ("imu",)
FILES_LEFT = {
    *("depth/d0.npy", "depth/d1.npy", "depth/d2.npy"),
    *("image/cmyk.jpg", "image/exact.bmp", "image/grey16.png", "image/photo.webp"),
    "video/short_1s2.mp4",  # it may have B-frames, and no packet shows it
}


def imu_samples() -> list[np.ndarray]:
    whole = (SAMPLES * 20).round()
    return [SAMPLES, SAMPLES.astype(np.float64), *(whole.astype(t) for t in ("i1", "i2", "i4", "i8"))]


IMU_OPTIONS: list[dict[str, Any]] = [
    {},
    {"accel_unit": "g", "gyro_unit": "deg/s"},
    {"unit": "g"},
    {"unit": "m/s2", "accel_unit": "m/s2", "gyro_unit": "rad/s"},
    {"max_gap": 1, "min_seconds": 2.0},
    {"max_gap": np.float64(0.2)},
    {"standardize": ([0.5] * 6, (1, 2, 3, 4, 5, 6)), "unit": "g"},
    {"standardize": (np.arange(6), np.full(6, 1.5, np.float32))},
]


@pytest.mark.parametrize("options", IMU_OPTIONS)
def test_inertial_samples(options: dict[str, Any]) -> None:
    for samples, rate in itertools.product(imu_samples(), (200, 180.5, 220)):
        assert both_ways.is_ordinary("imu", Imu(samples, rate=rate, **options))
    for samples, dtype in itertools.product(imu_samples(), ("f4", "f8")):
        assert both_ways.is_ordinary("imu", Imu(samples, timestamps=TIMES.astype(dtype), **options))


def test_windows_of_a_recording() -> None:
    for part in (SAMPLES[:, 50:1050], SAMPLES[:, ::-1], np.asfortranarray(SAMPLES)):
        assert both_ways.is_ordinary("imu", Imu(part, rate=200))
        assert both_ways.is_ordinary("imu", Imu(part, timestamps=np.arange(2 * part.shape[1])[::2] / 400))


def test_whole_times_and_accelerations_in_g() -> None:
    seconds = np.arange(6)
    for times in (seconds, seconds.astype(np.uint64) + (1 << 63)):
        assert both_ways.is_ordinary("imu", Imu(SAMPLES[:, :6], timestamps=times, max_gap=1))
    for size in (0.69, 0.7, 0.71, 1.0, 1.49, 1.5, 1.51):
        still = np.zeros((6, 1000), np.float32)
        still[2] = size
        assert both_ways.is_ordinary("imu", Imu(still, rate=200))
        prepared = preprocess.prepare("imu", Imu(still, rate=200))
        assert ("perhaps_g" in prepared.notes) == (0.7 <= float(np.float32(size)) <= 1.5)


BAD = SAMPLES.copy()
BAD[3, 40] = np.inf
IMU_LEFT: dict[str, Any] = {
    "no times": Imu(SAMPLES),
    "both": Imu(SAMPLES, rate=200, timestamps=TIMES),
    "too short": Imu(SAMPLES, rate=400),
    "a gap": Imu(SAMPLES, timestamps=TIMES + (TIMES > 2)),
    "unordered": Imu(SAMPLES, timestamps=TIMES[::-1].copy()),
    "not finite": Imu(BAD, rate=200),
    "too large": Imu(SAMPLES * 1e8, rate=200),
    "large with gaps": Imu(np.zeros((6, 40_000), np.float32)[:, ::2], rate=200),
    "of another order": Imu(SAMPLES.astype(">f4"), rate=200),
    "halves": Imu(SAMPLES.astype(np.float16), rate=200),
    "another shape": Imu(SAMPLES[:5], rate=200),
    "wrong unit": Imu(SAMPLES, rate=200, accel_unit="ft"),  # type: ignore[arg-type]
    "two units": Imu(SAMPLES, rate=200, accel_unit="g", unit="m/s2"),
    "a unit of time": Imu(SAMPLES, timestamps=TIMES * 1000, time_unit="ms"),
    "standard of another form": Imu(SAMPLES, rate=200, standardize=np.ones((2, 6))),  # type: ignore[arg-type]
    "no deviation": Imu(SAMPLES, rate=200, standardize=([0] * 6, [1] * 5 + [0])),
    "a mean beyond samples": Imu(SAMPLES, rate=200, standardize=([1e9] * 6, [1] * 6)),
    "a rate of zero": Imu(SAMPLES, rate=0),
    "true": Imu(SAMPLES, rate=True),
    "a list": Imu(SAMPLES.tolist(), rate=200),
}


def test_what_is_left_of_imu() -> None:
    assert both_ways.left("imu", IMU_LEFT) == set(IMU_LEFT)


MAPS = [random.uniform(-0.5, 9, (60, 80)), random.uniform(300, 60_000, (61, 50))]
DEPTH_OPTIONS: list[dict[str, Any]] = [
    {},
    {"camera": "realsense", "missing": "nearest"},
    {"focal": 600, "baseline": 0.1, "model_scale": 1.0},
    {"depth_scale": 2},
    {"unit": "m"},
    {"unit": "mm", "exif": True},
    {"unit": "disparity"},
]


@pytest.mark.filterwarnings("ignore:depth_scale")
@pytest.mark.parametrize("options", DEPTH_OPTIONS)
def test_depth_maps(options: dict[str, Any]) -> None:
    for values, dtype in itertools.product(MAPS, ("f4", "f8", "u2", "i4", "u4", "i8", "u8")):
        with np.errstate(invalid="ignore"):
            plain = values.astype(dtype)
        for shaped in (plain, plain[None], plain[:, :, None], plain[:1], plain[:, :1].copy()):
            assert both_ways.is_ordinary("depth", Depth(shaped, **options))


def test_depth_counts_and_missing_pixels() -> None:
    counts = MAPS[1].astype(np.uint16)
    counts[:20] = 0
    for options in ({"unit": "sunrgbd"}, {"unit": "kitti"}, {"unit": "tum"}, {"counts_per_metre": 1250}):
        assert both_ways.is_ordinary("depth", Depth(counts, **options))  # type: ignore[arg-type]
    assert both_ways.is_ordinary("depth", counts)
    far = MAPS[0].astype(np.float32)
    far[0, :4] = [np.nan, np.inf, -np.inf, 1e10]
    far[1, 0] = np.finfo(np.float32).max
    assert both_ways.is_ordinary("depth", far)
    assert preprocess.prepare("depth", far).notes["beyond_any_camera"] == 2


DEPTH_LEFT: dict[str, Any] = {
    "bytes": Depth(np.zeros((9, 9), np.uint8)),
    "halves": np.ones((9, 9), np.float16),
    "colours": np.ones((9, 9, 3)),
    "empty": np.ones((0, 9)),
    "truths": np.ones((9, 9), bool),
    "large with gaps": np.ones((200, 200))[:, ::2],
    "unknown unit": Depth(np.ones((9, 9)), unit="ft"),  # type: ignore[arg-type]
    "floats in counts": Depth(np.ones((9, 9), np.float32), counts_per_metre=1000),
    "a unit and counts": Depth(np.ones((9, 9), np.uint16), unit="mm", counts_per_metre=1000),
    "kitti in floats": Depth(np.ones((9, 9)), unit="kitti"),
    "a camera and a number": Depth(np.ones((9, 9)), camera="xtion", focal=500),
    "a scale of counts": Depth(np.ones((9, 9)), model_scale=1000),
    "no number": Depth(np.ones((9, 9)), focal="500"),  # type: ignore[arg-type]
    "an unknown camera": Depth(np.ones((9, 9)), camera="phone"),  # type: ignore[arg-type]
}


def test_what_is_left_of_depth() -> None:
    assert both_ways.left("depth", DEPTH_LEFT) == set(DEPTH_LEFT)
    assert not both_ways.is_ordinary("depth", np.ones((9, 9)), bindrt.Limits(max_pixels=80))
    assert both_ways.is_ordinary("depth", np.ones((9, 9)), bindrt.Limits(max_pixels=81))


RANGES: list[dict[str, Any]] = [
    {"low": 0, "high": 200.5},
    {"percentiles": (1, 99)},
    {"percentiles": [2.5, 50]},
    {"low": -10, "high": 40, "unit": "kelvin"},
    {"low": -10, "high": 40, "unit": "decikelvin"},
    {"percentiles": (0, 100), "unit": "centikelvin", "exif": True},
    {"low": 0, "high": 30, "unit": "celsius"},
]


@pytest.mark.parametrize("options", RANGES)
def test_thermal_frames(options: dict[str, Any]) -> None:
    for values, dtype in itertools.product(MAPS, ("f4", "f8", "u1", "i2", "u2", "i4", "i8", "u8")):
        plain = (values % 100 if dtype in ("u1", "i2") else values.clip(0)).astype(dtype)
        assert both_ways.is_ordinary("thermal", Thermal(plain, **options))


def test_thermal_bytes_and_hundredths_of_a_kelvin() -> None:
    plain = (MAPS[0] * 20).clip(0).astype(np.uint8)
    for options in ({}, {"unit": "celsius"}, {"exif": True}):
        assert both_ways.is_ordinary("thermal", Thermal(plain, **options))  # type: ignore[arg-type]
    assert both_ways.is_ordinary("thermal", plain)
    warm = random.integers(29_000, 31_000, (50, 60))
    for dtype, offset in itertools.product(("u2", "i4", "i8", "u8"), (0, 30_000, -20_000)):
        frame = (warm + offset).astype(dtype)
        assert both_ways.is_ordinary("thermal", Thermal(frame, low=0, high=100))
    assert "perhaps_centikelvin" in preprocess.prepare("thermal", Thermal(warm, low=0, high=100)).notes
    far = MAPS[0].astype(np.float32)
    far[0, 0] = 3e9
    assert both_ways.is_ordinary("thermal", Thermal(far, low=0, high=9))


THERMAL_LEFT: dict[str, Any] = {
    "no range": np.ones((9, 9), np.uint16),
    "one end": Thermal(np.eye(9), low=0),
    "upside down": Thermal(np.eye(9), low=1, high=0),
    "both": Thermal(np.eye(9), low=0, high=1, percentiles=(1, 99)),
    "flat": Thermal(np.ones((9, 9)), percentiles=(1, 99)),
    "three percentiles": Thermal(np.eye(9), percentiles=(1, 2, 3)),  # type: ignore[arg-type]
    "true": Thermal(np.eye(9), low=False, high=True),
    "unknown unit": Thermal(np.eye(9), low=0, high=1, unit="F"),  # type: ignore[arg-type]
    "not finite": Thermal(np.full((9, 9), np.nan), low=0, high=1),
    "halves": Thermal(np.eye(9, dtype=np.float16), low=0, high=1),
}


def test_what_is_left_of_thermal() -> None:
    assert both_ways.left("thermal", THERMAL_LEFT) == set(THERMAL_LEFT)


def test_rows_of_a_batch_are_written_in_place() -> None:
    rows = np.full((3, 6, 2000), 9, np.float32)
    asked: list[int] = []

    def reserve(count: int) -> np.ndarray:
        asked.append(count)
        return rows[1:2]

    views = prepare_ordinary(MODALITIES["imu"], Imu(SAMPLES, rate=200), bindrt.Limits(), reserve)
    assert views is not None
    assert np.may_share_memory(views.array, rows)
    np.testing.assert_array_equal(rows[1], preprocess.imu(SAMPLES, rate=200))
    assert (rows[[0, 2]] == 9).all()
    assert asked == [1]

    def refuse(count: int) -> np.ndarray:
        raise MemoryError("planted")

    with pytest.raises(bindrt.LimitError, match="not enough memory"):
        prepare_views("imu", Imu(SAMPLES, rate=200), reserve=refuse)
    for wrong in (np.empty((1, 6, 2000), np.float16), np.empty((1, 2000, 6), np.float32).T, None):
        found = prepare_ordinary(
            MODALITIES["imu"], Imu(SAMPLES, rate=200), bindrt.Limits(), [wrong, wrong].__getitem__
        )
        assert found is None


def test_files_of_the_golden_sets() -> None:
    files = [path for root in roots() for path in (root / "inputs").glob("*/*")]
    assert len(files) > 20
    left = {f"{path.parent.name}/{path.name}" for path in files if not is_ordinary_file(path)}
    whole = {name for name in left if name.startswith(MODALITIES_LEFT)}
    assert left - whole == {name for name in FILES_LEFT if any(path.match(name) for path in files)}
    assert {name.partition("/")[0] for name in whole} == set(MODALITIES_LEFT)


def is_ordinary_file(path: Path) -> bool:
    """Whether a file is, and its bytes with it."""
    modality = path.parent.name
    found = both_ways.is_ordinary(modality, path)
    assert both_ways.is_ordinary(modality, path.read_bytes()) == found
    assert both_ways.is_ordinary(modality, str(path)) == found
    return found


def test_a_subclass_and_other_arrays_are_left() -> None:
    class Mine(Imu):
        pass

    class Array(np.ndarray):
        pass

    assert not both_ways.is_ordinary("imu", Mine(SAMPLES, rate=200))
    assert not both_ways.is_ordinary("imu", Imu(SAMPLES.view(Array), rate=200))
