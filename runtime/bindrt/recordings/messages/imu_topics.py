"""Inertial samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.recordings.messages.fields import field
from bindrt.recordings.messages.topic_reader import TopicReader
from bindrt.recordings.sample import Inertial, Sample


class ImuTopic(TopicReader):
    """sensor_msgs/Imu: one sample a message; a covariance that begins with -1 says that a field is absent."""

    def read(self, message: Any, recorded: int) -> Iterator[Sample]:
        found = Inertial(_measured(message, "linear_acceleration"), _measured(message, "angular_velocity"))
        if found.acc is None and found.gyro is None:
            raise InputError("", "both covariances say that nothing was measured", "it holds no IMU samples")
        time = self.time_of(message, recorded)
        yield Sample("imu", self.topic.name, time, recorded, lambda: found)


def _measured(message: Any, name: str) -> Array | None:
    covariance = np.asarray(field(message, f"{name}_covariance"))
    if covariance.size and covariance.flat[0] == -1:
        return None
    vector = field(message, name)
    try:
        values = np.array([float(getattr(vector, axis)) for axis in "xyz"])
    except (AttributeError, TypeError, ValueError):
        raise InputError("", f"{name} has no numbers x, y and z", "its type is another one") from None
    return values
