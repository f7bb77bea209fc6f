"""What an engine is opened with: the files of one encoder, and how it is to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.engines.batch_sizes import cpu_batch
from bindrt.errors import EngineError, OptionError
from bindrt.option_checks import require_whole

#: How an engine gets ready: weights are repacked once for speed, or run as they are mapped from disk.
FAST_RUN, FAST_START = "fast-run", "fast-start"
STARTUPS = (FAST_RUN, FAST_START)


@dataclass(frozen=True)
class EngineSettings:
    """How the engines of a model are to run.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N``; OpenVINO also ``gpu``, ``gpu.N``, ``npu``.
        threads: threads on a CPU; None: the engine's default.
        startup: one of ``STARTUPS``.
        options: passed to the engine's own library as they are.
        background: the encoder gives way to others, where the engine can see to that.
        spin: whether threads that wait for one another within a batch may use their core meanwhile, where the
            engine can choose. They go on sooner; what else the core could do does not.
    """

    device: str = "auto"
    threads: int | None = None
    startup: str = FAST_RUN
    options: Mapping[str, Any] = field(default_factory=dict)
    background: bool = False
    spin: bool = True

    def __post_init__(self) -> None:
        require_whole("threads", self.threads, "threads", 1, 1024, optional=True)
        if self.startup not in STARTUPS:
            raise OptionError(f"startup={self.startup!r}", "unknown", f"one of {', '.join(STARTUPS)}")
        if not isinstance(self.options, Mapping):
            raise OptionError(
                "engine_options", f"a {type(self.options).__name__}", "give a dict; see docs/engines.md"
            )


@dataclass(frozen=True)
class EngineSpec:
    """What an engine is opened for: the checked files of a bundle, and the encoder they compute.

    Attributes:
        files: ``files[0]`` is the graph or plan, the others lie beside it.
        encoder: the encoder's name.
        dtype: the input's type: ``float32`` or ``int64``.
        embed_dim: length of a vector.
        precision: what the files say they compute with.
        target: what a plan was built for, for example ``sm_86-sm_89``.
        version: release of the engine that a plan was built with; empty for a graph.
        max_batch: the most rows the files take; None: any number.
        key: hash of graph and weights, the same on every machine.
        heads: of the encoder's attention.
        view: shape of one input without the batch, ``(77,)`` for token ids.
    """

    files: list[Path]
    encoder: str
    dtype: str
    embed_dim: int
    precision: str
    target: str = "cpu"
    version: str = ""
    max_batch: int | None = None
    key: str = ""
    heads: int = 1
    view: tuple[int, ...] = ()

    def at_most(self, rows: int) -> int:
        """So many rows, or fewer where the files take fewer."""
        return rows if self.max_batch is None else min(rows, self.max_batch)

    def cpu_batch(self) -> int:
        return self.at_most(cpu_batch(self.encoder))

    def check_result(self, result: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        """Refuse a result of another shape, which NumPy might broadcast into ``out``."""
        if result.shape != out.shape:
            raise EngineError(
                self.encoder,
                f"the graph returned {list(result.shape)}, not {list(out.shape)}",
                "export again",
            )


def one_line(error: Exception) -> str:
    """The message of an engine's library in one line."""
    return " ".join(str(error).split())[:300]
