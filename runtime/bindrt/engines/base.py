"""What every engine is to the rest of the runtime, and how a model asks for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from bindrt.bundle.manifest import EncoderInfo
from bindrt.errors import EngineError, OptionError

#: Past this many rows a batch on a CPU gains no speed and only holds memory.
CPU_BATCH = {"vision": 8, "text": 64}
DEFAULT_CPU_BATCH = 16
#: How an engine gets ready; see docs/engines.md.
STARTUPS = ("fast-run", "fast-start")


class Engine(Protocol):
    """One encoder, ready to run. Calls from several threads are safe.

    Attributes:
        name: ``onnxruntime``, ``openvino``, ``tensorrt`` or ``tensorrt-rtx``.
        device: where it runs: ``cpu``, ``cuda:0``, ``gpu``, …
        precision: of the numbers it computes with.
        max_batch: the most rows of one ``run``.
    """

    name: str
    device: str
    precision: str
    max_batch: int

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        """Embed a batch.

        Args:
            inputs: ``[B, …]``, the encoder's input; B at most ``max_batch``.
            out: float32 ``[B, D]``, written.

        Raises:
            EngineError: the engine refused or failed.
        """
        ...


@runtime_checkable
class GpuEngine(Protocol):
    """What an engine on an NVIDIA GPU offers besides: the pipeline then overlaps copies and computing."""

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        """Queue a batch from device memory to device memory, without waiting; see ``TensorRtEngine``."""
        ...


@dataclass(frozen=True)
class Settings:
    """How the engines of a model are to run.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N``; OpenVINO also ``gpu``, ``gpu.N``, ``npu``.
        threads: threads on a CPU; None: one a physical core.
        startup: ``fast-run`` repacks weights once for speed; ``fast-start`` runs them as they are mapped.
        options: passed to the engine's own library as they are.
    """

    device: str = "auto"
    threads: int | None = None
    startup: str = "fast-run"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = self.threads
        if count is not None and (
            type(count) is bool or not isinstance(count, int) or not 1 <= count <= 1024
        ):
            raise OptionError(f"threads={count!r}", "not a number of threads", "give 1 to 1024, or None")
        if self.startup not in STARTUPS:
            raise OptionError(f"startup={self.startup!r}", "unknown", f"one of {', '.join(STARTUPS)}")
        if not isinstance(self.options, Mapping):
            raise OptionError(
                "engine_options", f"a {type(self.options).__name__}", "give a dict; see docs/engines.md"
            )


@dataclass(frozen=True)
class Job:
    """What an engine is opened for: files of a bundle, checked, and the encoder they compute.

    Attributes:
        files: ``files[0]`` is the graph or plan, the others lie beside it.
        embed_dim: length of a vector.
        target: what a plan was built for, for example ``sm_86-sm_89``.
        version: of the engine that a plan was built with; empty for a graph.
        max_batch: the most rows the files take; None: any number.
        key: of the weights and graph, the same on every machine.
    """

    files: list[Path]
    encoder: EncoderInfo
    embed_dim: int
    precision: str
    target: str = "cpu"
    version: str = ""
    max_batch: int | None = None
    key: str = ""

    def cpu_batch(self) -> int:
        usual = CPU_BATCH.get(self.encoder.name, DEFAULT_CPU_BATCH)
        return usual if self.max_batch is None else min(usual, self.max_batch)

    def check_result(self, result: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        """Refuse a result of another shape, which NumPy might broadcast into ``out``."""
        if result.shape != out.shape:
            raise EngineError(
                self.encoder.name,
                f"the graph returned {list(result.shape)}, not {list(out.shape)}",
                "export again",
            )


def cuda_index(device: str) -> int | None:
    """N of ``cuda:N``, 0 of ``cuda``; None if the device is no CUDA device."""
    name, _, number = device.partition(":")
    if name != "cuda" or not (number == "" or (number.isascii() and number.isdigit() and len(number) < 4)):
        return None
    return int(number or 0)


def plan_target(targets: Sequence[str]) -> str:
    """A plan's targets as the manifest and folder names have them: ``sm_86-sm_89``."""
    return "-".join(targets)


def short(error: Exception) -> str:
    """An engine's message in one line."""
    return " ".join(str(error).split())[:300]
