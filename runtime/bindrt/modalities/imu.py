"""IMU: 5 s of inertial samples to ``[6, 2000]``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bindrt import _core, arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, OptionError, SourceError
from bindrt.items import ARRAYS_ONLY, ArrayLike, Source
from bindrt.limits import Limits
from bindrt.modalities.modality import Modality, Views, one_view
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.output_rows import Reserve, row_for
from bindrt.numeric import is_positive
from bindrt.sources import is_file_source, open_source
from bindrt.sources.formats import sniff
from bindrt.sources.numpyfile import read_array, read_fields

AccelUnit = Literal["m/s2", "g"]
GyroUnit = Literal["rad/s", "deg/s"]
_ACCEL = {"m/s2": 1.0, "g": c.STANDARD_GRAVITY}
_GYRO = {"rad/s": 1.0, "deg/s": math.pi / 180}
_EPSILON = 1e-6  # seconds; rates such as 97.3 Hz are not exact in binary


@dataclass(frozen=True, eq=False)
class Imu:
    """Inertial samples ``[6, N]``: accelerometer x, y, z, then gyroscope x, y, z.

    Attributes:
        samples: the array, or a ``.npz`` file with fields ``samples`` and ``t`` or ``rate``.
        rate: samples per second; or
        timestamps: seconds of each sample, ``[N]``, increasing.
        standardize: ``(mean, std)``, six numbers each, applied last.
        max_gap: the longest gap between samples that is interpolated, in seconds.
        accel_unit, gyro_unit: units of the samples; converted to m/s² and rad/s.
        min_seconds: a shorter input is an error; lower it to allow one (its last value is held).
    """

    samples: Source
    rate: float | None = None
    timestamps: ArrayLike | None = field(default=None, metadata={ARRAYS_ONLY: True})
    standardize: tuple[Sequence[float], Sequence[float]] | None = None
    max_gap: float = 0.1
    accel_unit: AccelUnit = "m/s2"
    gyro_unit: GyroUnit = "rad/s"
    min_seconds: float = 4.95


def prepare(item: Imu, limits: Limits, reserve: Reserve | None = None) -> Views:
    """The first 5 s at 400 Hz, linear in between, in m/s² and rad/s."""
    name = arrays.item_name(item.samples)
    samples, times = _load(item, name, limits)
    _check_options(item, name)
    report = _core.check_imu_times(times, samples.shape[1], float(item.max_gap))
    _check_times(report, times, item, name)
    used = samples[:, : report["used"]]
    gain, offset = _factors(item)
    out, bad = _core.imu_grid(_native(used), times, gain, offset, out=row_for(reserve))
    if bad:
        raise InputError(
            name, f"{bad} of {used.size} samples are NaN or infinite", "every value must be finite"
        )
    return one_view(out)


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
    """
    array = _check_samples(arrays.to_numpy(samples), arrays.item_name(samples))
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


def _load(item: Imu, name: str, limits: Limits) -> tuple[Array, Array | float]:
    """The samples, and their times or their rate."""
    samples, rate, times = item.samples, item.rate, item.timestamps
    if is_file_source(samples):
        opened = open_source(samples, limits)
        family = sniff(opened).family
        if family not in ("npz", "npy"):
            raise SourceError(name, "the file is not a .npz", "fields 'samples' [6, N] and 't' [N] or 'rate'")
        samples = read_array(opened, "samples", limits)
        if family == "npz" and rate is None and times is None:
            fields = read_fields(opened, ("t", "rate"), limits)
            times = fields.get("t")
            if times is None and "rate" in fields:
                rate = _scalar(fields["rate"], name)
    array = _check_samples(arrays.to_numpy(samples, name), name)
    if (rate is None) == (times is None):
        problem = "samples need a rate or timestamps" if rate is None else "both a rate and timestamps"
        raise InputError(name, problem, "pass bindrt.Imu(samples, rate=...) or timestamps=...")
    if times is not None:
        return array, _timestamps(times, array.shape[1], name)
    if not is_positive(rate):
        raise InputError(name, f"the rate is {rate!r}", "it is the number of samples per second, above 0")
    return array, float(rate)


def _scalar(value: Array, name: str) -> float:
    if value.size != 1:
        raise InputError(name, f"the field 'rate' has shape {list(value.shape)}", "it is one number")
    return float(value.reshape(()))


def _check_samples(samples: Array, name: str) -> Array:
    if samples.ndim != 2 or samples.shape[0] != 6:
        hint = ": transpose it" if samples.ndim == 2 and samples.shape[1] == 6 else ""
        raise InputError(
            name,
            f"the shape is {list(samples.shape)}",
            f"samples are [6, N], accelerometer then gyroscope{hint}",
        )
    if samples.dtype.kind not in "iuf":
        raise InputError(name, f"the dtype is {samples.dtype}", "samples are numbers")
    if samples.shape[1] < 2:
        raise InputError(name, f"{samples.shape[1]} samples are too few", "5 s of samples are needed")
    return samples


def _timestamps(times: Any, count: int, name: str) -> Array:
    if not arrays.is_array(times):
        try:
            times = np.asarray(times, np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(
                name, "the timestamps are not numbers", "seconds, one for each sample"
            ) from error
    array = arrays.to_numpy(times, name)
    if array.dtype.kind not in "iuf":
        raise InputError(name, f"the timestamps' dtype is {array.dtype}", "seconds, as floats")
    if array.shape != (count,):
        raise InputError(
            name, f"{list(array.shape)} timestamps for {count} samples", "one for each sample: [N]"
        )
    kind = {"i": np.int64, "u": np.uint64}.get(array.dtype.kind)
    floats = np.float32 if array.dtype.itemsize <= 4 else np.float64
    return np.require(array, kind or floats, ["C", "A"])


def _native(samples: Array) -> Array:
    """The samples as the kernel takes them: float32 or float64, aligned, in this machine's byte order."""
    if samples.dtype not in (np.float32, np.float64):
        return samples.astype(np.float64)
    whole = all(stride % samples.itemsize == 0 for stride in samples.strides)
    return samples if whole and samples.flags.aligned else np.require(samples, None, ["C", "A"])


def _factors(item: Imu) -> tuple[list[float], list[float]]:
    """What each channel is multiplied by, and what is added then."""
    unit = [_ACCEL[item.accel_unit]] * 3 + [_GYRO[item.gyro_unit]] * 3
    if item.standardize is None:
        return unit, [0.0] * 6
    mean, std = item.standardize
    gain = [u / float(s) for u, s in zip(unit, std, strict=True)]
    return gain, [-float(m) / float(s) for m, s in zip(mean, std, strict=True)]


def _check_times(report: _core.ImuTimeReport, times: Array | float, item: Imu, name: str) -> None:
    """Finite, increasing, long enough (a sample lasts one period), and without a gap in what is used."""
    if report["not_finite"]:
        arrays.require_finite(np.asarray(times), name, "timestamps")
    if report["unordered"] >= 0:
        raise InputError(
            name, f"time does not increase at sample {report['unordered']}", "sort the samples by time"
        )
    needed = item.min_seconds - _EPSILON
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


def _check_options(item: Imu, name: str) -> None:
    if item.accel_unit not in list(_ACCEL):  # a list compares, where a dict must hash
        raise InputError(name, f"accel_unit is {item.accel_unit!r}", f"it is one of {', '.join(_ACCEL)}")
    if item.gyro_unit not in list(_GYRO):
        raise InputError(name, f"gyro_unit is {item.gyro_unit!r}", f"it is one of {', '.join(_GYRO)}")
    for option in ("max_gap", "min_seconds"):
        if not is_positive(getattr(item, option)):
            raise InputError(
                name, f"{option} is {getattr(item, option)!r}", "it is a number of seconds above 0"
            )
    if item.standardize is not None and not _is_standard(item.standardize):
        raise InputError(name, "standardize is not (mean, std) of six numbers each", "stds are above 0")


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
    recognizes=lambda content: "samples" in content.fields,
    bare_array=("bare samples have no times", "pass bindrt.Imu(samples, rate=...) or timestamps=..."),
)
