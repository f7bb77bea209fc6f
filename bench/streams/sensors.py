"""Sensors that the benches of live streams play: what each gives at once, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: The data and the time of the piece of that number, as ``push`` takes them.
Piece = Callable[[int], tuple[Any, Any]]
_RANDOM = np.random.default_rng(0)


@dataclass(frozen=True)
class Sensor:
    """One sensor.

    Attributes:
        modality: of its stream.
        what: a piece, in words.
        every: seconds from one piece to the next.
        piece: see :data:`Piece`.
        options: of the stream, besides its hop.
        window: seconds after which there is a first window.
    """

    modality: str
    what: str
    every: float
    piece: Piece
    options: Mapping[str, Any] = field(default_factory=dict)
    window: float = 0.0


def _sound() -> Piece:
    block = _RANDOM.normal(0, 0.1, (2, 480)).astype(np.float32)
    return lambda number: (block, number / 100)


def _samples(count: int) -> Piece:
    samples, steps = _RANDOM.normal(0, 1, (6, count)), np.arange(count)
    return lambda number: (samples, (number * count + steps) / 400)


def _frames(shape: tuple[int, ...], dtype: type, most: int, rate: float) -> Piece:
    frame = _RANDOM.integers(0, most, shape).astype(dtype)
    return lambda number: (frame, number / rate)


#: Each modality's usual sensor; of imu also samples that come one by one.
SENSORS = (
    Sensor("audio", "10 ms, 48 kHz stereo", 0.01, _sound(), {"rate": 48000, "channels": 2}, 2.0),
    Sensor("imu", "one sample, 400 Hz", 0.0025, _samples(1), {}, 5.0),
    Sensor("imu", "10 samples, 400 Hz", 0.025, _samples(10), {}, 5.0),
    Sensor("video", "640 × 480, 30 fps", 1 / 30, _frames((480, 640, 3), np.uint8, 256, 30), {"fps": 30}, 2.0),
    Sensor("image", "640 × 480, 30 fps", 1 / 30, _frames((480, 640, 3), np.uint8, 256, 30)),
    Sensor("depth", "640 × 480, 30 fps", 1 / 30, _frames((480, 640), np.uint16, 9000, 30), {"unit": "mm"}),
    Sensor(
        "thermal", "320 × 240, 30 fps", 1 / 30, _frames((240, 320), np.uint16, 9000, 30),
        {"low": 0.0, "high": 9000.0},
    ),
)  # fmt: skip


def ticks(every: float, seconds: float) -> Iterator[int]:
    """0, 1, 2 …, each when it is due; one that is late comes at once."""
    start = time.perf_counter()
    for number in range(round(seconds / every)):
        wait = start + number * every - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        yield number
