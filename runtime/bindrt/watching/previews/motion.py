"""The last seconds of an inertial sensor as six curves."""

from __future__ import annotations

import json
import math
from collections import deque
from typing import Any

import numpy as np

from bindrt import arrays
from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.limits import Limits
from bindrt.modalities.imu import Imu
from bindrt.watching.previews.preview import Preview

#: How much is shown, the least by which it moves, and the jump back of a clock that began anew, in seconds.
_SECONDS, _STEP, _BACK = 5.0, 0.1, 1.0
#: Points of a curve, and pieces that are held.
_POINTS, _PIECES = 200, 8192


class MotionPreview(Preview):
    """Accelerometer and gyroscope of the newest 5 s."""

    kind = "motion"

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._pieces: deque[tuple[Array, Array]] = deque(maxlen=_PIECES)
        self._newest, self._shown = -math.inf, -math.inf

    def keep(self, item: Imu) -> bool:
        samples = arrays.to_numpy(item.samples, "imu")
        if samples.ndim != 2 or samples.shape[0] != 6 or not samples.shape[1]:
            raise InputError("imu", "not samples [6, n]", "give Imu(samples, rate=400) or with timestamps=")
        times = self._times(item, samples.shape[1])
        if times[-1] < self._newest - _BACK:
            self._pieces.clear()
            self._newest = self._shown = -math.inf
        self._pieces.append((times, samples.astype(np.float32)))
        self._newest = max(self._newest, float(times[-1]))
        while self._pieces[0][0][-1] < self._newest - _SECONDS:
            self._pieces.popleft()
        if self._newest < self._shown + _STEP:
            return False
        self._shown = self._newest
        return True

    def kept(self) -> Any:
        return list(self._pieces)

    def draw(self, kept: Any) -> tuple[str, bytes]:
        times = np.concatenate([times for times, _ in kept])
        samples = np.concatenate([samples for _, samples in kept], axis=1)
        order = np.argsort(times, kind="stable")
        picked = order[np.unique(np.linspace(0, len(order) - 1, _POINTS).astype(int))]
        said = {
            "seconds": _SECONDS,
            "ago": [round(float(t), 3) for t in times[order[-1]] - times[picked]],
            "rows": [[_number(x) for x in row] for row in samples[:, picked].tolist()],
        }
        return "application/json", json.dumps(said).encode()

    def _times(self, item: Imu, count: int) -> Array:
        if item.timestamps is not None:
            times = np.asarray(item.timestamps, np.float64)
            if times.shape == (count,) and np.isfinite(times).all():
                return times
        elif item.rate:
            begin = self._newest if math.isfinite(self._newest) else 0.0
            return begin + np.arange(1, count + 1) / float(item.rate)
        raise InputError("imu", "its samples have no times", "give rate=, or timestamps= for each sample")


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
