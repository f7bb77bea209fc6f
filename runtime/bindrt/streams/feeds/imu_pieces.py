"""What a program pushes of inertial sensors, checked: which sensor, its samples and their times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError

#: The rows of a sample; "both" are accelerometer x, y, z then gyroscope x, y, z.
ROWS = {"both": 6, "acc": 3, "gyro": 3}
_REMEDY = "push(samples [6, n], times [n]), push(acc=[3, n], times=…) or push(gyro=[3, n], times=…)"


class ImuPiece(NamedTuple):
    """Samples ``[rows, n]`` of a sensor, and their times ``[n]`` or None."""

    sensor: str
    samples: Array
    times: Array | None


def imu_piece(data: Any, time: Any) -> ImuPiece:
    """A piece from what :meth:`bindrt.streams.feeds.ImuFeed.push` takes.

    Raises:
        InputError: the samples or the times are of another kind or shape.
    """
    name, sensor = "imu", "both"
    if isinstance(data, Mapping):
        sensor = str(next(iter(data), ""))
        if len(data) != 1 or sensor not in ("acc", "gyro"):
            raise InputError(name, f"the sensors are {', '.join(map(str, data)) or 'missing'}", _REMEDY)
        name, data = sensor, data[sensor]
    samples = arrays.to_numpy(data, name, lists=True)
    rows = ROWS[sensor]
    if samples.ndim == 1 and len(samples) == rows:
        samples = samples[:, None]
    if samples.ndim != 2 or samples.shape[0] != rows:
        turned = ": transpose it" if samples.ndim == 2 and samples.shape[1] == rows else ""
        raise InputError(name, f"the shape is {list(samples.shape)}", f"samples are [{rows}, n]{turned}")
    if samples.dtype.kind not in "iuf":
        raise InputError(name, f"the dtype is {samples.dtype}", "samples are numbers")
    return ImuPiece(sensor, samples, None if time is None else _times(time, samples.shape[1], name))


def _times(given: Any, count: int, name: str) -> Array:
    times = np.atleast_1d(
        np.asarray(given) if np.isscalar(given) else arrays.to_numpy(given, name, lists=True)
    )
    if times.dtype.kind not in "iuf" or times.shape != (count,):
        problem = f"{times.dtype} {list(times.shape)} times for {count} samples"
        raise InputError(name, problem, "seconds, one for each sample: [n]")
    return np.asarray(times, np.float64)
