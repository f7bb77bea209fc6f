"""Where an engine's work is queued, and how device memory becomes tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

#: What NumPy calls the types of the encoders' inputs and vectors.
_NAMES = {torch.float32: "<f4", torch.int64: "<i8"}


class Place(Protocol):
    """A GPU as a :class:`bench.torch_engine.engine.TorchGpuEngine` needs it."""

    def queue(self, stream: int, work: Callable[[], None], kept: bool) -> None:
        """Queue ``work`` on a stream. With ``kept`` a graph uses its memory, which stays taken."""
        ...

    def read(self, address: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """The numbers at an address of the device; within ``work``."""
        ...

    def write(self, address: int, vectors: Tensor) -> None:
        """Write numbers to an address of the device; within ``work``."""
        ...


class CudaPlace:
    """A real GPU: PyTorch launches on the pipeline's stream, on tensors that are the pipeline's memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        # A graph uses the memory of its recording again, whatever PyTorch would give that memory to later.
        self._kept = torch.cuda.MemPool()

    def queue(self, stream: int, work: Callable[[], None], kept: bool) -> None:
        with torch.cuda.stream(torch.cuda.ExternalStream(stream, self._device)):
            if kept:
                with torch.cuda.use_mem_pool(self._kept, self._device):
                    work()
            else:
                work()

    def read(self, address: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.as_tensor(_Memory(address, shape, _NAMES[dtype]), device=self._device)

    def write(self, address: int, vectors: Tensor) -> None:
        self.read(address, tuple(vectors.shape), vectors.dtype).copy_(vectors)


class _Memory:
    """Memory of a GPU that belongs to somebody else."""

    def __init__(self, address: int, shape: tuple[int, ...], name: str) -> None:
        self.__cuda_array_interface__: dict[str, Any] = {
            "data": (address, False), "shape": shape, "typestr": name, "strides": None, "version": 3,
        }  # fmt: skip
