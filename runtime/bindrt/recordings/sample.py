"""What messages hold: samples of a modality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bindrt.arrays import Array
from bindrt.errors import InputError


@dataclass(frozen=True, eq=False)
class Inertial:
    """What an inertial sensor measured at one time.

    Attributes:
        acc: its acceleration, ``[3]`` in m/s²; None: it was not measured.
        gyro: its angular velocity, ``[3]`` in rad/s; None: it was not measured.
    """

    acc: Array | None
    gyro: Array | None


@dataclass(frozen=True, eq=False)
class Sample:
    """A piece of a stream of a modality.

    Attributes:
        modality: for example ``audio``.
        topic: where it was recorded.
        time: seconds on the sensor's clock, if its message has a time, else when it was recorded. The time of
            a sound is that of its first sample.
        recorded: when its message was recorded, in nanoseconds.
        make: makes ``data``.
    """

    modality: str
    topic: str
    time: float
    recorded: int
    make: Callable[[], Any]

    @cached_property
    def data(self) -> Any:
        """The data: a ``bindrt.Image`` of an image and of a video's frame, ``bindrt.Depth``,
        ``bindrt.Thermal``, ``bindrt.Audio``, or :class:`Inertial`.

        Raises:
            InputError: a picture's data are not what its message says.
        """
        try:
            return self.make()
        except InputError as error:
            raise error if error.item else type(error)(self.topic, error.problem, error.remedy) from None
