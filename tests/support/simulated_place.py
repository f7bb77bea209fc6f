"""A :class:`bench.torch_engine.places.Place` on the simulated driver: PyTorch computes on the CPU.

What is queued runs when the stream has reached it, on the simulated memory, so that a missing wait or a wrong
address gives poison. A recorded call is run again by every launch of its graph.
"""

from __future__ import annotations

import ctypes
import os
import traceback
from collections.abc import Callable

import torch
from torch import Tensor


class SimulatedPlace:
    """
    Attributes:
        kept: how many of the queued calls were for graphs.
    """

    def __init__(self, library: str) -> None:
        self._driver = ctypes.CDLL(library)
        self._works: list[Callable[[], None]] = []  # for good: a graph may run one again
        self._run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._run_work)
        self.kept = 0

    def queue(self, stream: int, work: Callable[[], None], kept: bool) -> None:
        self.kept += kept
        self._works.append(work)
        number = ctypes.c_void_p(len(self._works))
        failed = self._driver.cuLaunchHostFunc(ctypes.c_void_p(stream), self._run, number)
        if failed:
            raise RuntimeError(f"cuLaunchHostFunc: {failed}")

    def read(self, address: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        found = torch.empty(shape, dtype=dtype)
        size = ctypes.c_size_t(found.numel() * found.element_size())
        assert not self._driver.bindrt_cudasim_read(
            ctypes.c_void_p(found.data_ptr()), ctypes.c_uint64(address), size
        )
        return found

    def write(self, address: int, vectors: Tensor) -> None:
        given = vectors.contiguous()
        size = ctypes.c_size_t(given.numel() * given.element_size())
        assert not self._driver.bindrt_cudasim_write(
            ctypes.c_uint64(address), ctypes.c_void_p(given.data_ptr()), size
        )

    def _run_work(self, number: int) -> None:
        try:
            self._works[number - 1]()
        except BaseException:
            traceback.print_exc()
            os._exit(70)
