"""An encoder in PyTorch as an engine of bindrt's: on a CPU, or on a GPU's streams."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.engines.usual import usual
from bench.torch_engine.places import CudaPlace, Place
from bindrt_export.architecture import Encoder, EncoderConfig

TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
#: How the module is called: as it is, or by ``torch.compile``.
WAYS = ("eager", "compiled")
Forward = Callable[[Tensor], Tensor]


def forward_of(module: Encoder) -> Forward:
    """From an encoder's input to float32 vectors; only the last division is not in the module's precision."""

    def forward(given: Tensor) -> Tensor:
        if given.is_floating_point():
            given = given.to(next(module.parameters()).dtype)
        return module.finish(module.head(module.trunk(module.stem(given)), given).float())

    return forward


def compiled(forward: Forward, most: int) -> Forward:
    """Full batches have code of their own; all other sizes share one."""
    full, other = torch.compile(forward, dynamic=False), torch.compile(forward, dynamic=True)
    one_at_a_time = threading.Lock()  # the pipeline's thread and callers of `run` may both come first

    def call(given: Tensor) -> Tensor:
        with one_at_a_time:
            found: Tensor = (full if given.shape[0] == most and given.dim() > 2 else other)(given)
            return found

    return call


class TorchEngine:
    """A :class:`bindrt.Engine`.

    Attributes:
        eager: the module called as it is: from an input on ``torch_device`` to vectors there.
        forward: how this engine calls it.
        way: the name of that, in ``WAYS``.
    """

    name = "torch"

    def __init__(
        self, module: Encoder, device: str, precision: str, max_batch: int = 32, way: str = "eager"
    ) -> None:
        self.device, self.precision, self.max_batch, self.way = device, precision, max_batch, way
        self.torch_device = torch.device(device)
        self.input_type = torch.int64 if module.config.reads_tokens else torch.float32
        moved = usual(module).to(self.torch_device, TYPES[precision]).eval().requires_grad_(False)
        self.eager = forward_of(moved)
        self.forward = self.eager if way == "eager" else compiled(self.eager, max_batch)

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        with torch.inference_mode(), self.on_own_stream():
            given = torch.from_numpy(inputs).to(self.torch_device)
            out[...] = self.forward(given).cpu().numpy()

    def on_own_stream(self) -> Any:
        """The stream of calls that come with no stream of their own."""
        return nullcontext()


class TorchGpuEngine(TorchEngine):
    """A :class:`bindrt.GpuEngine`.

    Attributes:
        device_bytes: how much of the GPU's memory a full batch takes, besides the weights.
    """

    def __init__(
        self, module: Encoder, device: str, precision: str, max_batch: int = 32, way: str = "eager",
        place: Place | None = None,
    ) -> None:  # fmt: skip
        super().__init__(module, "cpu" if place is not None else device, precision, max_batch, way)
        self.device = device
        self._stream = torch.cuda.Stream(self.torch_device) if place is None else None
        self._place: Place = CudaPlace(self.torch_device) if place is None else place
        self.device_bytes = self._bytes_of_a_batch(module.config) if place is None else 0

    def on_own_stream(self) -> Any:
        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        self._queue(shape, source, target, stream, kept=False)

    def enqueue_for_graph(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        self._queue(shape, source, target, stream, kept=True)

    def _queue(self, shape: tuple[int, ...], source: int, target: int, stream: int, kept: bool) -> None:
        def work() -> None:
            with torch.inference_mode():
                given = self._place.read(source, shape, self.input_type)
                self._place.write(target, self.forward(given))

        self._place.queue(stream, work, kept)

    def _bytes_of_a_batch(self, config: EncoderConfig) -> int:
        """The first call also makes what libraries keep, for example cuBLAS's workspace."""
        torch.cuda.reset_peak_memory_stats(self.torch_device)
        before = torch.cuda.memory_allocated(self.torch_device)
        self.run(
            np.zeros(
                (self.max_batch, *config.view), np.int64 if self.input_type is torch.int64 else np.float32
            ),
            np.empty((self.max_batch, config.out), np.float32),
        )
        return int(torch.cuda.max_memory_allocated(self.torch_device) - before)
