"""A GPU engine for tests: reads its input from device memory, and lets an engine of the CPU compute it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

import bindrt
from bindrt import _core
from bindrt.engines import Engine


class OnGpu:
    """Waits for its stream in ``enqueue``, so the pipeline must not record graphs.

    Attributes:
        input_dtype: of what ``enqueue`` reads, for encoders of pictures, sounds and motion.
        seen: the input of every batch, as it lay on the device.
        fails: whether ``enqueue`` fails.
    """

    device = "cuda:0"
    input_dtype = "float32"

    def __init__(self, inner: Engine, dim: int, max_batch: int = 16) -> None:
        self.name = inner.name
        self.precision = inner.precision
        self.max_batch = max_batch
        self.seen: list[np.ndarray] = []
        self.fails = False
        self._inner = inner
        self._dim = dim
        self._driver = ctypes.CDLL(_core.gpu.driver()["path"])

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        most = self._inner.max_batch
        for first in range(0, len(inputs), most):
            self._inner.run(inputs[first : first + most], out[first : first + most])

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        if self.fails:
            raise RuntimeError("not now")
        inputs = np.empty(shape, np.int64 if len(shape) == 2 else self.input_dtype)
        self._copy("cuMemcpyDtoHAsync_v2", inputs.ctypes.data_as(ctypes.c_void_p), ctypes.c_uint64(source),
                   ctypes.c_size_t(inputs.nbytes), ctypes.c_void_p(stream))  # fmt: skip
        self._copy("cuStreamSynchronize", ctypes.c_void_p(stream))
        self.seen.append(inputs)
        out = np.empty((shape[0], self._dim), np.float32)
        self.run(inputs.astype(np.float32) if inputs.dtype == np.float16 else inputs, out)
        self._copy("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(target), out.ctypes.data_as(ctypes.c_void_p),
                   ctypes.c_size_t(out.nbytes), ctypes.c_void_p(stream))  # fmt: skip
        self._copy("cuStreamSynchronize", ctypes.c_void_p(stream))

    def copied_to_device(self) -> int | None:
        """Bytes so far, as the simulated driver counts them; None: a real one does not."""
        if not hasattr(self._driver, "cudasimBytesToDevice"):
            return None
        self._driver.cudasimBytesToDevice.restype = ctypes.c_ulonglong
        return int(self._driver.cudasimBytesToDevice())

    def _copy(self, function: str, *arguments: Any) -> None:
        if code := getattr(self._driver, function)(*arguments):
            raise RuntimeError(f"{function}: {code}")


class Halves(OnGpu):
    """One that reads float16."""

    input_dtype = "float16"


#: What makes a model whose engine is on the GPU, and that engine.
Load = Callable[..., tuple[bindrt.Model, OnGpu]]
