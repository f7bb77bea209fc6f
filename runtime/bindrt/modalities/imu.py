"""IMU: 5 s of inertial samples to ``[6, 2000]``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bindrt import _core, arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, OptionError
from bindrt.items import ARRAYS_ONLY, ArrayLike, Source
from bindrt.limits import Limits
from bindrt.modalities.modality import Modality, Views, one_view
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.imu_input import check_samples, load
from bindrt.modalities.steps.motion import SECONDS, Motion, TimeUnit, require_order
from bindrt.modalities.steps.motion_names import find_roles
from bindrt.modalities.steps.output_rows import Reserve, row_for
from bindrt.notes import Notes
from bindrt.numeric import is_positive

AccelUnit = Literal["m/s2", "g"]
GyroUnit = Literal["rad/s", "deg/s"]
#: Columns by name: a dict of arrays, or a table of pandas, polars or pyarrow.
Table = Any
_ACCEL = {"m/s2": 1.0, "g": c.STANDARD_GRAVITY}
_GYRO = {"rad/s": 1.0, "deg/s": math.pi / 180}


@dataclass(frozen=True, eq=False)
class Imu:
    """Inertial samples ``[6, N]``: accelerometer x, y, z, then gyroscope x, y, z.

    Attributes:
        samples: the array; a ``.npz`` file with fields ``samples`` and ``t`` or ``rate``; or a table: a CSV
            or Parquet file, a ``.npz`` with fields ``acc``, ``gyro`` and ``time``, a table of pandas, polars
            or pyarrow, a dict of arrays. Each sensor of a table may have times of its own.
        rate: samples per second; or
        timestamps: the time of each sample, ``[N]``, increasing.
        standardize: ``(mean, std)``, six numbers each, applied last.
        max_gap: the longest gap between samples that is interpolated, in seconds.
        accel_unit, gyro_unit: units of the samples, which become m/s² and rad/s; by default what a table's
            header says, else these two.
        min_seconds: a shorter input is an error; lower it to allow one (its last value is held).
        columns: a table's columns of time, accelerometer x, y, z and gyroscope x, y, z, or the six without
            time beside a ``rate``; numbers from 1 if it has no header. By default names tell which are which.
        time_unit: of the times. By default that of the column's name; of tables and of ``.npz`` fields other
            than ``t`` the one that gives 4 to 4000 samples a second; else seconds.
        unit: short for ``accel_unit``.

    >>> table = {"t": np.arange(1000) / 200, "acc": np.ones((3, 1000)), "gyro": np.zeros((1000, 3))}
    >>> Imu(table, accel_unit="g").accel_unit
    'g'
    """

    samples: Source | Table
    rate: float | None = None
    timestamps: ArrayLike | None = field(default=None, metadata={ARRAYS_ONLY: True})
    standardize: tuple[Sequence[float], Sequence[float]] | None = None
    max_gap: float = c.IMU_MAX_GAP
    accel_unit: AccelUnit | None = None
    gyro_unit: GyroUnit | None = None
    min_seconds: float = c.IMU_MIN_SECONDS
    columns: Sequence[str] | None = None
    time_unit: TimeUnit | None = None
    unit: AccelUnit | None = field(default=None, metadata={ARRAYS_ONLY: True})


def prepare(item: Imu, limits: Limits, reserve: Reserve | None = None) -> Views:
    """The first 5 s at 400 Hz, linear in between, in m/s² and rad/s."""
    name = arrays.item_name(item.samples)
    check_options(item, name)
    motion = load(item, name, limits)
    times = motion.rate if motion.times is None else motion.times
    assert times is not None
    report = _core.check_imu_times(times, motion.samples.shape[1], float(item.max_gap))
    _check_times(report, times, item, name)
    used = motion.samples[:, : report["used"]]
    gain, offset = _factors(item, motion, name)
    out, bad = _core.imu_grid(_native(used), times, gain, offset, out=row_for(reserve))
    if bad:
        raise InputError(
            name, f"{bad} of {used.size} samples are NaN or infinite", "every value must be finite"
        )
    _check_size(out, name)
    return one_view(out, _notes(item, motion, out))


def _check_size(out: Array, name: str) -> None:
    peak = _core.peak(out)
    if not peak <= c.IMU_MOST:
        raise InputError(
            name,
            f"a sample is {peak:g} in m/s² or rad/s",
            f"{c.IMU_MOST:g} is the most: name the samples' unit",
        )


def _notes(item: Imu, motion: Motion, out: Array) -> Notes:
    notes: dict[str, float | int | str] = {}
    if motion.time_unit:
        notes["time_unit"] = motion.time_unit
    if motion.lost_rows:
        notes["lost_rows"] = motion.lost_rows
    if item.standardize is None and _accel_unit(item, motion) == "m/s2":
        mean = _core.mean_acceleration(out)
        if c.LEAST_G <= mean <= c.MOST_G:
            notes["perhaps_g"] = round(mean, 3)
    return notes


def _accel_unit(item: Imu, motion: Motion) -> str:
    return item.accel_unit or item.unit or motion.units.get("acc", "m/s2")


def windows(
    samples: ArrayLike, rate: float, seconds: float = 5.0, hop: float | None = None
) -> Iterator[Array]:
    """Windows of a long recording ``[6, N]``, each a read-only view ``[6, seconds·rate]``.

    Args:
        rate: samples per second.
        seconds: length of a window.
        hop: seconds from the start of one window to the next; by default ``seconds``. Windows start
            at the nearest sample. A rest shorter than a window is left out.

    Raises:
        InputError: ``samples`` is not ``[6, N]``.
        OptionError: a number that is not above 0, or a window or hop shorter than a sample.

    >>> [part.shape for part in windows(np.zeros((6, 3000)), rate=200, hop=2.5)]
    [(6, 1000), (6, 1000), (6, 1000), (6, 1000), (6, 1000)]
    """
    array = check_samples(arrays.to_numpy(samples), arrays.item_name(samples))
    hop = seconds if hop is None else hop
    for label, value in (("rate", rate), ("seconds", seconds), ("hop", hop)):
        if not is_positive(value):
            raise OptionError("windows", f"{label} is {value!r}", "it is a number above 0")
    length = round(seconds * rate)
    if length < 1 or hop * rate < 1:
        raise OptionError("windows", "a window or hop is shorter than a sample", "make it longer")
    return _windows(array, length, hop * rate)


def _windows(array: Array, length: int, hop: float) -> Iterator[Array]:
    index = 0
    while (start := round(index * hop)) + length <= array.shape[1]:
        yield array[:, start : start + length]
        index += 1


def _native(samples: Array) -> Array:
    """The samples as the kernel takes them: float32 or float64, aligned, in this machine's byte order."""
    if samples.dtype not in (np.float32, np.float64):
        return samples.astype(np.float64)
    whole = all(stride % samples.itemsize == 0 for stride in samples.strides)
    return samples if whole and samples.flags.aligned else np.require(samples, None, ["C", "A"])


def _factors(item: Imu, motion: Motion, name: str) -> tuple[list[float], list[float]]:
    """What each channel is multiplied by, and what is added then."""
    accel, gyro = _accel_unit(item, motion), item.gyro_unit or motion.units.get("gyro", "rad/s")
    for option, unit, known in (("accel_unit", accel, _ACCEL), ("gyro_unit", gyro, _GYRO)):
        if unit not in known:
            raise InputError(
                name, f"its header says {unit!r}", f"name the unit: {option}, {' or '.join(known)}"
            )
    factors = [_ACCEL[accel]] * 3 + [_GYRO[gyro]] * 3
    if item.standardize is None:
        return factors, [0.0] * 6
    mean, std = item.standardize
    gain = [u / float(s) for u, s in zip(factors, std, strict=True)]
    return gain, [-float(m) / float(s) for m, s in zip(mean, std, strict=True)]


def _check_times(report: _core.ImuTimeReport, times: Array | float, item: Imu, name: str) -> None:
    """Finite, increasing, long enough (a sample lasts one period), and without a gap in what is used."""
    if report["not_finite"]:
        arrays.require_finite(np.asarray(times), name, "timestamps")
    if report["unordered"] >= 0:
        require_order(np.asarray(times), name)
    needed = item.min_seconds - c.IMU_EPSILON
    length = report["last"] if report["last"] >= needed else report["last"] + _period(times)
    if length < needed:
        raise InputError(
            name,
            f"{length:.3f} s are shorter than {item.min_seconds:g} s",
            "record 5 s, or lower min_seconds",
        )
    if report["gap"] >= 0:
        seconds, sample = report["gap_seconds"], report["gap"]
        raise InputError(
            name,
            f"a gap of {seconds:.3f} s after sample {sample} is longer than {item.max_gap:g} s",
            "timestamps are in seconds; raise max_gap to interpolate over it",
        )


def _period(times: Array | float) -> float:
    """The time from a sample to the next; the median of those of a short recording."""
    return 1 / times if isinstance(times, float) else float(np.median(np.diff(times)))


def check_options(item: Imu, name: str) -> None:
    if item.accel_unit not in [None, *_ACCEL]:  # a list compares, where a dict must hash
        raise InputError(name, f"accel_unit is {item.accel_unit!r}", f"it is one of {', '.join(_ACCEL)}")
    if item.unit is not None and (item.unit not in [*_ACCEL] or item.accel_unit not in [None, item.unit]):
        both = f" beside accel_unit {item.accel_unit!r}" if item.accel_unit is not None else ""
        raise InputError(
            name, f"unit is {item.unit!r}{both}", f"it is short for accel_unit, one of {', '.join(_ACCEL)}"
        )
    if item.gyro_unit not in [None, *_GYRO]:
        raise InputError(name, f"gyro_unit is {item.gyro_unit!r}", f"it is one of {', '.join(_GYRO)}")
    if item.time_unit not in [None, *SECONDS]:
        raise InputError(name, f"time_unit is {item.time_unit!r}", f"it is one of {', '.join(SECONDS)}")
    if item.columns is not None and not _are_names(item.columns):
        raise InputError(name, f"columns is {item.columns!r}"[:80], "it is a list of six or seven names")
    for option in ("max_gap", "min_seconds"):
        if not is_positive(getattr(item, option)):
            raise InputError(
                name, f"{option} is {getattr(item, option)!r}", "it is a number of seconds above 0"
            )
    if item.standardize is not None and not _is_standard(item.standardize):
        raise InputError(name, "standardize is not (mean, std) of six numbers each", "stds are above 0")


def _are_names(columns: object) -> bool:
    return isinstance(columns, (list, tuple)) and all(isinstance(name, str) for name in columns)


def _is_standard(value: Sequence[Sequence[float]]) -> bool:
    try:
        mean, std = (np.asarray(v, np.float64) for v in value)
    except (TypeError, ValueError):
        return False
    fits = mean.shape == std.shape == (6,)
    return bool(fits and np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all())


IMU = Modality(
    name="imu",
    encoder="imu",
    view=(6, c.IMU_STEPS),
    prepare=prepare,
    original=True,
    description={
        **c.of_core("imu"),
        "units": ["m/s2", "rad/s"],
        "interpolation": "linear",
    },
    wrapper=Imu,
    recognizes=lambda content: "samples" in content.fields or not find_roles(content.fields).missing(),
    bare_array=("bare samples have no times", "pass bindrt.Imu(samples, rate=...) or timestamps=..."),
)
