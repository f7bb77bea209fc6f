"""What an engine is to the rest of the runtime. An engine of your own has the same attributes and methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt


class Engine(Protocol):
    """One encoder, ready to run. ``bindrt.load(…, engines={"vision": engine})`` takes one of your own.

    Calls of ``run`` may come from several threads at once.

    Attributes:
        name: for messages, for example ``onnxruntime``.
        device: where it runs: ``cpu``, ``cuda:0``, ``gpu``, …
        precision: what it computes with: ``fp32``, ``fp16``, ``bf16``, ``int8`` or ``fp8``.
        max_batch: the most rows that one ``run`` may get; 1 to 65536.

    Example:
        >>> class Ones:
        ...     name, device, precision, max_batch = "ones", "cpu", "fp32", 8
        ...
        ...     def run(self, inputs, out):
        ...         out[...] = 1
        >>> with bindrt.load("tiny", engines={"text": Ones()}) as model:
        ...     vector = model.embed(text="a bell ringing", normalize=False).text[0]
        >>> float(vector.min()), float(vector.max())
        (1.0, 1.0)
    """

    @property
    def name(self) -> str: ...

    @property
    def device(self) -> str: ...

    @property
    def precision(self) -> str: ...

    @property
    def max_batch(self) -> int: ...

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        """Embed a batch.

        Args:
            inputs: ``[B, …]``, C-contiguous; B is 1 to ``max_batch``. float32 views of the encoder's input:
                ``[B, 3, 2, 224, 224]`` (vision), ``[B, 1, 128, 204]`` (audio), ``[B, 1, 224, 224]`` (depth,
                thermal), ``[B, 6, 2000]`` (imu); int64 token ids ``[B, T]`` with T of 1 to 77 (text). The
                bundle's manifest has the shape of each encoder.
            out: float32 ``[B, D]``, to be written. Each row is the encoder's output after its L2 norm and
                scale. Nothing is returned.

        Raises:
            EngineError: the engine refused or failed.

        >>> out = np.empty((1, 96), np.float32)
        >>> model.engine("text").run(bindrt.preprocess.text(["a bell ringing"]), out)
        """
        ...


@runtime_checkable
class GpuEngine(Engine, Protocol):
    """An engine whose ``device`` is ``cuda:N`` and that can queue work on a stream.

    The pipeline then overlaps copies and computing. Without ``enqueue`` it calls ``run`` there too.

    It may have ``input_dtype``, ``"float32"`` or ``"float16"``: of what ``enqueue`` reads. With ``"float16"``
    views are made so on the GPU, in half the memory. ``run`` gets float32 always. Token ids are int64.

    >>> isinstance(model.engine("text"), bindrt.GpuEngine)  # engines on a CPU have no enqueue
    False
    """

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        """Queue a batch on a stream, from device memory to device memory, without waiting.

        Calls are on one stream, or each comes after the one before is done. A CUDA graph may record the
        call, after one with the same arguments, and be launched again later, with other calls in between. If
        what a call launches does not hold so long, the engine also has ``enqueue_for_graph``, with the same
        arguments, for calls that are recorded. ``run`` may be called at the same time. Whoever calls keeps
        the engine until the stream has done the work.

        Args:
            shape: shape of the input, ``[B, …]``.
            source, target: device addresses of the input, of ``input_dtype``, and of float32 ``[B, D]``,
                aligned to 256 bytes.
            stream: handle of a CUDA stream of this device.

        Raises:
            EngineError: the engine does not take the shape, or failed.
        """
        ...


@dataclass(frozen=True)
class EnginePlace:
    """What is known of an engine: where it runs, and how much at once.

    Attributes:
        on_device: the core queues its work on a GPU.
        max_batch: the most rows that it takes at once.
        reads: what it reads of rows that are float32 on the host: ``float32`` or ``float16``.
        bytes: of the GPU's memory that it takes itself, besides the weights.
    """

    on_device: bool
    max_batch: int
    reads: str = "float32"
    bytes: int = 0
