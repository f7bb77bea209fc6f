"""An IMU item's samples and times: from an array, a table in memory, or a file of NumPy, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, SourceError
from bindrt.limits import Limits
from bindrt.modalities.steps.motion import (
    SECONDS,
    Motion,
    from_columns,
    guess_unit,
    nanoseconds,
    roles_of,
    used_columns,
)
from bindrt.modalities.steps.motion_names import find_roles
from bindrt.numeric import is_positive
from bindrt.sources import Opened, is_file_source, open_source
from bindrt.sources.formats import sniff
from bindrt.sources.numpyfile import npz_fields, read_array, read_fields
from bindrt.sources.tables import read_table, table_names

_WHOLE = ("samples", "imu", "data")  # what all six channels are called in a .npz


class Recorded(Protocol):
    """What :class:`bindrt.Imu` says about its samples."""

    @property
    def samples(self) -> Any: ...
    @property
    def rate(self) -> float | None: ...
    @property
    def timestamps(self) -> Any: ...
    @property
    def columns(self) -> Sequence[str] | None: ...
    @property
    def time_unit(self) -> str | None: ...
    @property
    def max_gap(self) -> float: ...


def load(item: Recorded, name: str, limits: Limits) -> Motion:
    """The samples ``[6, N]`` with either their rate or their times in seconds.

    Raises:
        InputError: the shapes do not fit, or there is neither a rate nor times.
    """
    if item.rate is not None and item.timestamps is not None:
        raise InputError(name, "both a rate and timestamps", _REMEDY)
    if item.rate is not None and not is_positive(item.rate):
        raise InputError(
            name, f"the rate is {item.rate!r}", "it is the number of samples per second, above 0"
        )
    motion = _read(item, name, limits)
    motion.samples = check_samples(motion.samples, name)
    if item.timestamps is not None:
        times = _timestamps(item.timestamps, motion.samples.shape[1], name)
        return replace(motion, times=_scaled(times, item.time_unit or "s"), rate=None)
    if item.rate is not None:
        return replace(motion, times=None, rate=float(item.rate))
    if motion.times is None and motion.rate is None:
        raise InputError(name, "samples need a rate or timestamps", _REMEDY)
    if motion.rate is not None and not is_positive(motion.rate):
        raise InputError(name, f"the rate is {motion.rate!r}", "it is above 0")
    return motion


_REMEDY = "pass bindrt.Imu(samples, rate=...) or timestamps=..."


def _read(item: Recorded, name: str, limits: Limits) -> Motion:
    if not is_file_source(item.samples):
        if (columns := _in_memory(item.samples, name)) is not None:
            return _from_columns(item, columns, name)
        return Motion(arrays.to_numpy(item.samples, name, lists=True))
    opened = open_source(item.samples, limits)
    file_format = sniff(opened)
    if file_format.family == "npy":
        return Motion(read_array(opened, "samples", limits))
    if file_format.family == "npz":
        return _from_npz(item, opened, limits)
    if file_format.family != "table":
        raise SourceError(
            name,
            "the file is not a .npz, nor a CSV or Parquet table",
            "fields 'samples' [6, N] and 't' [N] or 'rate', or columns of both sensors",
        )
    roles = roles_of(table_names(opened, file_format.name), item.columns, name)
    wanted = used_columns(roles, with_times=item.rate is None and item.timestamps is None)
    columns, lost = read_table(opened, file_format.name, wanted, limits)
    motion = from_columns(columns, roles, _any_rate(item), item.time_unit, item.max_gap, name)
    return replace(motion, lost_rows=lost)


def _from_npz(item: Recorded, opened: Opened, limits: Limits) -> Motion:
    plain = read_fields(opened, ("samples", "t", "rate"), limits) if item.columns is None else {}
    if "samples" in plain and ("t" in plain or "rate" in plain):
        return _from_plain(item, plain, opened.name)
    names = npz_fields(opened)
    whole = next((n for n in _WHOLE if n in names), None)
    if item.columns is not None or (whole is None and not find_roles(names).missing()):
        roles = roles_of(names, item.columns, opened.name)
        fields = read_fields(opened, used_columns(roles, with_times=item.timestamps is None), limits)
        return from_columns(fields, roles, _any_rate(item), item.time_unit, item.max_gap, opened.name)
    motion = Motion(read_array(opened, whole or "samples", limits))
    roles = find_roles(names)
    time = roles.times.get("acc", "")
    if item.rate is not None or item.timestamps is not None or not (time or roles.rate):
        return motion
    fields = read_fields(opened, [time or roles.rate], limits)
    if not time:
        return replace(motion, rate=_scalar(fields[roles.rate], opened.name))
    samples = check_samples(motion.samples, opened.name)
    times = _timestamps(fields[time], samples.shape[1], opened.name)
    told = item.time_unit or roles.time_unit
    unit = told or guess_unit(times, item.max_gap)
    return replace(motion, times=_scaled(times, unit), time_unit="" if told or unit == "s" else unit)


def _from_plain(item: Recorded, fields: Mapping[str, Array], name: str) -> Motion:
    """The fields of the documented names."""
    samples = check_samples(fields["samples"], name)
    if item.rate is not None or item.timestamps is not None:
        return Motion(samples)
    if "t" not in fields:
        return Motion(samples, rate=_scalar(fields["rate"], name))
    times = _timestamps(fields["t"], samples.shape[1], name)
    return Motion(samples, times=_scaled(times, item.time_unit or "s"))


def _from_columns(item: Recorded, columns: Mapping[str, Array], name: str) -> Motion:
    roles = roles_of(list(columns), item.columns, name)
    return from_columns(columns, roles, _any_rate(item), item.time_unit, item.max_gap, name)


def _any_rate(item: Recorded) -> float | None:
    """A rate if the columns of times are not needed."""
    return item.rate if item.timestamps is None else 1.0


def _in_memory(table: Any, name: str) -> dict[str, Array] | None:
    """The columns of a dict of arrays, or of a table of pandas, polars or pyarrow; None for anything else."""
    if isinstance(table, Mapping):
        return {str(k): arrays.to_numpy(v, f"{name} {k!r}", lists=True) for k, v in table.items()}
    names = getattr(table, "column_names", None) or getattr(table, "columns", None)
    if names is None or callable(names):
        return None
    return {str(n): arrays.to_numpy(table[n], f"{name} column {n!r}", lists=True) for n in names}


def _scaled(times: Array, unit: str) -> Array:
    """Times in seconds; of other units since the first, as large numbers lose digits."""
    if unit == "s":
        return times
    since = np.asarray(times - times[0], np.float64)
    return np.asarray(since * SECONDS[unit])


def _scalar(value: Array, name: str) -> float:
    if value.size != 1:
        raise InputError(name, f"the field 'rate' has shape {list(value.shape)}", "it is one number")
    return float(value.reshape(()))


def check_samples(samples: Array, name: str) -> Array:
    """Raises InputError unless the samples are numbers ``[6, N]``, at least two of them."""
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
    if array.dtype.kind in "mM" and array.size:
        array = (nanoseconds(array) - nanoseconds(array[:1])) / 1e9
    if array.dtype.kind not in "iuf":
        raise InputError(name, f"the timestamps' dtype is {array.dtype}", "seconds, as floats")
    if array.shape != (count,):
        raise InputError(
            name, f"{list(array.shape)} timestamps for {count} samples", "one for each sample: [N]"
        )
    kind = {"i": np.int64, "u": np.uint64}.get(array.dtype.kind)
    floats = np.float32 if array.dtype.itemsize <= 4 else np.float64
    return np.require(array, kind or floats, ["C", "A"])
