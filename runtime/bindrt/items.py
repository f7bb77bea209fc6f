"""Items with their metadata: what ``embed``, ``submit`` and ``bindrt.preprocess`` take besides paths.

The classes only carry; :mod:`bindrt.preprocess` checks and computes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Literal, Union

import numpy as np
import numpy.typing as npt

#: Arrays are NumPy, or anything with DLPack or ``__cuda_array_interface__``; hence ``Any``.
ArrayLike = Any
#: A path, the bytes of a file, a binary file object, or an array.
Source = Union[str, os.PathLike[str], bytes, bytearray, memoryview, IO[bytes], ArrayLike]

Layout = Literal["RGB", "BGR", "L", "RGBA"]
Grey16 = Literal["pillow", "full"]
DepthUnit = Literal["m", "mm", "sunrgbd", "disparity"]
Missing = Literal["farthest", "nearest"]
AccelUnit = Literal["m/s2", "g"]
GyroUnit = Literal["rad/s", "deg/s"]


@dataclass(frozen=True, eq=False)
class Image:
    """One picture.

    Attributes:
        src: a path, bytes, file object, or uint8 pixels ``[H, W]``, ``[H, W, 3]``, ``[H, W, 4]``.
        layout: order of an array's channels; by default RGB, L or RGBA by their count.
        exif: turn the picture as its EXIF orientation says (the original ignores it).
        grey16: 16-bit grey files: ``"pillow"`` clips at 255 as the original does, ``"full"``
            scales the whole 16-bit range to 8 bits.
    """

    src: Source
    layout: Layout | None = None
    exif: bool = False
    grey16: Grey16 = "pillow"


@dataclass(frozen=True, eq=False)
class Video:
    """One video: a file, or frames ``[N, H, W, 3]`` uint8 RGB (or a sequence of them) with ``fps``.

    Attributes:
        src: a path, bytes, file object, or frames.
        fps: frames per second; required for frames, refused for files.
    """

    src: Source | Sequence[ArrayLike]
    fps: float | None = None


@dataclass(frozen=True, eq=False)
class Audio:
    """One recording: a file (also a video's sound track), or a waveform with its ``rate``.

    Attributes:
        src: a path, bytes, file object, or a waveform ``[N]`` or ``[channels, N]``: floats
            (full scale is -1..1) or int16/int32 samples.
        rate: samples per second; required for waveforms, refused for files.
    """

    src: Source
    rate: float | None = None


@dataclass(frozen=True, eq=False)
class Depth:
    """One depth map; see :func:`bindrt.preprocess.depth` for units and the camera's numbers."""

    src: Source
    unit: DepthUnit | None = None
    focal: float = 518.8579
    baseline: float = 0.075
    depth_scale: float = 8.0
    missing: Missing = "farthest"


@dataclass(frozen=True, eq=False)
class Thermal:
    """One thermal frame; see :func:`bindrt.preprocess.thermal` for the range."""

    src: Source
    low: float | None = None
    high: float | None = None
    percentiles: tuple[float, float] | None = None


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
    timestamps: ArrayLike | None = None
    standardize: tuple[Sequence[float], Sequence[float]] | None = None
    max_gap: float = 0.1
    accel_unit: AccelUnit = "m/s2"
    gyro_unit: GyroUnit = "rad/s"
    min_seconds: float = 4.95


@dataclass(frozen=True, eq=False)
class Prepared:
    """The model's own input, ready: no decoding or preprocessing is done.

    Attributes:
        array: one view, for example ``[3, 224, 224]`` for image, ``[77]`` for text; or ``[V, ...]``.
        notes: what preprocessing found and a user should know (missing depth pixels, range used).
    """

    array: npt.NDArray[np.generic] | ArrayLike
    notes: Mapping[str, float | int | str] = field(default_factory=dict)
