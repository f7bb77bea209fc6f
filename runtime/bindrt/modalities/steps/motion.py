"""Columns of inertial samples to ``[6, N]`` and their times, also of two sensors at rates of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.modalities.steps.motion_names import SENSORS, Roles, find_roles, given_roles

TimeUnit = Literal["s", "ms", "us", "ns"]
SECONDS: dict[str, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_SLOWEST = 0.225  # seconds between samples; fewer than 4.4 a second are taken to be in a smaller unit
_WINDOW = 5.0  # seconds that the model takes


@dataclass
class Motion:
    """Samples ``[6, N]`` with either their rate or their times in seconds, and what the columns told.

    Attributes:
        units: the unit of each sensor, ``acc`` and ``gyro``, that the names tell.
        time_unit: the unit of the times if it was neither given nor told; ``s`` is not worth telling.
        lost_rows: damaged rows of the table, which are left out.
    """

    samples: Array
    rate: float | None = None
    times: Array | None = None
    units: dict[str, str] = field(default_factory=dict)
    time_unit: str = ""
    lost_rows: int = 0


def roles_of(names: Sequence[str], columns: Sequence[str] | None, name: str) -> Roles:
    """Which columns are what.

    Args:
        columns: the caller's list: time, accelerometer x, y, z, gyroscope x, y, z; or six without time.
        name: the item's.

    Raises:
        InputError: columns are missing.
    """
    there = ", ".join(repr(n) for n in names[:12]) + ("…" if len(names) > 12 else "")
    if columns is not None:
        absent = [c for c in columns if c not in names]
        if len(columns) not in (6, 7) or absent:
            problem = f"there is no column {absent[0]!r}" if absent else f"columns has {len(columns)} names"
            raise InputError(
                name,
                f"{problem}; there are {there}",
                "give seven: time, accelerometer x, y, z, gyroscope x, y, z",
            )
        return given_roles(columns)
    roles = find_roles(names)
    if problem := roles.missing():
        raise InputError(
            name,
            f"{problem} were recognized in {there or 'an empty table'}",
            "name them: columns=(time, accelerometer x, y, z, gyroscope x, y, z)",
        )
    return roles


def used_columns(roles: Roles, with_times: bool) -> list[str]:
    """The columns that are needed, each once."""
    names = [n for axes in roles.axes.values() for n in axes]
    if with_times:
        names += [*roles.times.values(), *([roles.rate] if roles.rate else []), *roles.rates.values()]
    return list(dict.fromkeys(names))


def from_columns(
    columns: Mapping[str, Array],
    roles: Roles,
    rate: float | None,
    unit: str | None,
    max_gap: float,
    name: str,
) -> Motion:
    """The recording that the columns hold.

    Args:
        rate: samples per second, given by the caller; the columns of times are not looked at then.
        unit: the unit of the times, given by the caller.
        max_gap: see :class:`bindrt.Imu`.

    Raises:
        InputError: columns do not fit each other, have no times, or two sensors have no time in common.
    """
    axes = {s: _sensor(columns, roles, s, name) for s in SENSORS}
    if rate is None and roles.rate and not roles.times:
        rate = _scalar(columns[roles.rate], name)
    if rate is not None:
        return Motion(_joined(axes, name), rate=rate, units=roles.units)
    raw = {s: _times(columns, roles, s, axes[s].shape[1], name) for s in SENSORS}
    guessed = unit or roles.time_unit or (guess_unit(raw["acc"], max_gap) if roles.times else "s")
    told = "" if unit or roles.time_unit or guessed == "s" else guessed
    times = _seconds(raw, SECONDS[guessed])
    is_same = raw["acc"] is raw["gyro"] or np.array_equal(raw["acc"], raw["gyro"])
    if is_same and not any(_missing(a).any() for a in axes.values()):
        return Motion(_joined(axes, name), times=times["acc"], units=roles.units, time_unit=told)
    samples, union = _merge(axes, times, max_gap, name)
    return Motion(samples, times=union, units=roles.units, time_unit=told)


def guess_unit(times: Array, max_gap: float) -> str:
    """The unit in which the times mean 4 to 4000 samples a second.

    >>> guess_unit(np.arange(5) * 10, 0.1), guess_unit(np.arange(5) * 0.01, 0.1)
    ('ms', 's')
    """
    steps = np.diff(times[np.isfinite(times)] if times.dtype.kind == "f" else times)
    steps = steps[steps > 0]
    step = float(np.median(steps)) if len(steps) else 0.0
    slowest = max(_SLOWEST, max_gap)
    return next((unit for unit, seconds in SECONDS.items() if step * seconds <= slowest), "ns")


def _sensor(columns: Mapping[str, Array], roles: Roles, sensor: str, name: str) -> Array:
    """One sensor's samples ``[3, N]``."""
    parts = [columns[n] for n in roles.axes[sensor]]
    if any(p.dtype.kind not in "iuf" for p in parts):
        raise InputError(
            name, f"{', '.join(roles.axes[sensor])}: the values are not numbers", "samples are numbers"
        )
    if len(parts) == 3:
        if len({p.shape for p in parts}) > 1 or parts[0].ndim != 1:
            raise InputError(name, f"{', '.join(roles.axes[sensor])} have different lengths", "each is [N]")
        return np.stack([p.astype(np.float64) for p in parts])
    whole = parts[0].astype(np.float64)
    if whole.ndim != 2 or 3 not in whole.shape:
        raise InputError(
            name, f"{roles.axes[sensor][0]} has shape {list(whole.shape)}", "it is [3, N] or [N, 3]"
        )
    return whole if whole.shape[0] == 3 else whole.T


def _joined(axes: Mapping[str, Array], name: str) -> Array:
    lengths = {s: a.shape[1] for s, a in axes.items()}
    if lengths["acc"] != lengths["gyro"]:
        raise InputError(
            name,
            f"{lengths['acc']} samples of the accelerometer, {lengths['gyro']} of the gyroscope",
            "sensors at different rates need the times of each",
        )
    return np.concatenate([axes[s] for s in SENSORS])


def _times(columns: Mapping[str, Array], roles: Roles, sensor: str, count: int, name: str) -> Array:
    """The times of one sensor's samples, in their own unit."""
    if sensor not in roles.times:
        if sensor in roles.rates:
            return np.arange(count) / _scalar(columns[roles.rates[sensor]], name)
        raise InputError(
            name, "samples need a rate or timestamps", "pass rate=…, or columns=… with the times first"
        )
    times = nanoseconds(columns[roles.times[sensor]])
    if times.dtype.kind not in "iuf" or times.shape != (count,):
        raise InputError(
            name,
            f"{times.dtype} {list(times.shape)} timestamps for {count} samples",
            "numbers, one for each sample: [N]",
        )
    return times.astype(np.int64) if times.dtype.kind in "iu" else times.astype(np.float64)


def _seconds(raw: Mapping[str, Array], unit: float) -> dict[str, Array]:
    """Seconds since the first time of any sensor; the difference first, as large numbers lose digits."""
    if len({t.dtype for t in raw.values()}) > 1:
        raw = {s: t.astype(np.float64) for s, t in raw.items()}
    first = min(t[0] for t in raw.values() if len(t)) if any(len(t) for t in raw.values()) else 0
    return {s: (t - first).astype(np.float64) * unit for s, t in raw.items()}


def _scalar(value: Array, name: str) -> float:
    if value.size != 1:
        raise InputError(name, f"the rate has shape {list(value.shape)}", "it is one number")
    return float(value.reshape(()))


def _missing(samples: Array) -> Array:
    """Where a sensor has no sample: tables of two sensors leave its cells empty."""
    return np.asarray(np.isnan(samples).all(axis=0))


def _merge(
    axes: Mapping[str, Array], times: Mapping[str, Array], max_gap: float, name: str
) -> tuple[Array, Array]:
    """Both sensors at the times of both: linear in between, so that nothing of either is lost."""
    kept = {s: ~_missing(axes[s]) & np.isfinite(times[s]) for s in SENSORS}
    axes = {s: axes[s][:, kept[s]] for s in SENSORS}
    times = {s: times[s][kept[s]] for s in SENSORS}
    if min(len(t) for t in times.values()) < 2:
        raise InputError(name, "a sensor has fewer than two samples", "5 s of samples of both are needed")
    for sensor in SENSORS:
        require_order(times[sensor], f"{name} {sensor}")
    start, end = max(t[0] for t in times.values()), min(t[-1] for t in times.values())
    if not start < end:
        raise InputError(name, "the two sensors have no time in common", "their times must be of one clock")
    for sensor in SENSORS:
        _check_gap(times[sensor], start, min(start + _WINDOW, end), max_gap, f"{name} {sensor}")
    union = np.unique(np.concatenate([*times.values(), [start, end]]))
    union = union[(union >= start) & (union <= end)]
    return np.stack([np.interp(union, times[s], channel) for s in SENSORS for channel in axes[s]]), union


def _check_gap(times: Array, start: float, end: float, max_gap: float, name: str) -> None:
    steps = np.diff(times)
    wide = (steps > max_gap + 1e-6) & (times[1:] > start) & (times[:-1] < end)
    if wide.any():
        sample = int(np.argmax(wide))
        raise InputError(
            name,
            f"a gap of {steps[sample]:.3f} s after sample {sample} is longer than {max_gap:g} s",
            "raise max_gap to interpolate over it",
        )


def nanoseconds(times: Array) -> Array:
    """Dates and durations as integers, other times as they are."""
    if times.dtype.kind not in "mM":
        return times
    return times.astype(f"{times.dtype.kind}8[ns]").view(np.int64)


def require_order(times: Array, name: str) -> None:
    """Raises InputError unless the times increase; the error tells equal times from unsorted ones."""
    later = times[1:] > times[:-1]
    if later.all():
        return
    sample = int(np.argmin(later)) + 1
    if (times[1:] < times[:-1]).any():
        raise InputError(name, f"time does not increase at sample {sample}", "sort the samples by time")
    float32 = "; float32 cannot hold such times, use float64" if times.dtype == np.float32 else ""
    raise InputError(
        name,
        f"sample {sample} has the same time as the one before, {int((~later).sum())} do in all{float32}",
        "keep one sample of each time",
    )
