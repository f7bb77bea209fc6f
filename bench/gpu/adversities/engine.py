"""The engine that the adversities befall: it fills its vectors with one number."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

import bindrt
from bench.gpu.calls import DriverCalls, pointer, size

BYTE = 0x3F
NUMBER = float(np.frombuffer(bytes([BYTE] * 4), np.float32)[0])
DIM = 96  # bind-tiny's


class Filling:
    """A :class:`bindrt.GpuEngine`.

    Attributes:
        before: called before each batch is queued, with the stream.
    """

    name, device, precision, max_batch = "filling", "cuda:0", "fp32", 8

    def __init__(self) -> None:
        self._driver = DriverCalls()
        self.before: Callable[[int], None] = lambda stream: None

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        out[...] = NUMBER

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        self.before(stream)
        count = size(4 * DIM * shape[0])
        self._driver("cuMemsetD8Async", ctypes.c_uint64(target), ctypes.c_ubyte(BYTE), count, pointer(stream))


def load(engine: Filling, **options: Any) -> bindrt.Model:
    return bindrt.load(
        "tiny", modalities=["imu"], engines={"imu": engine}, pipeline=bindrt.PipelineOptions(**options)
    )


def items(count: int) -> list[bindrt.Prepared]:
    """Ready input; no two are equal, so that each is computed."""
    return [bindrt.Prepared(np.full((6, 2000), number, np.float32)) for number in range(count)]


def outcomes(model: bindrt.Model, count: int) -> tuple[int, list[str]]:
    """Submit so many items: how many right vectors came, and what the others were told."""
    good, said, futures = 0, [], []
    for item in items(count):
        try:
            futures.append(model.submit("imu", item))
        except bindrt.EngineError as error:  # the pipeline could not be made
            said.append(str(error))
    for future in futures:
        try:
            vector = future.result(120)
        except bindrt.Error as error:
            said.append(str(error))
        else:
            good += bool(np.allclose(vector, DIM**-0.5, atol=1e-5))
    return good, said
