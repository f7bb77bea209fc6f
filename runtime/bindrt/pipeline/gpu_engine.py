"""How the core queues the work of an engine that is on a GPU."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bindrt import _core
from bindrt.bundle.manifest import EncoderInfo
from bindrt.engines import Engine, GpuEngine
from bindrt.engines.devices import cuda_index
from bindrt.errors import EngineError
from bindrt.modalities import MODALITIES
from bindrt.pipeline.lanes import text_lengths
from bindrt.pipeline.options import PipelineOptions

LOG = logging.getLogger(__name__)

#: What libraries say of memory: theirs, the driver's, and the statuses of cuBLAS, cuDNN and TensorRT.
_OUT_OF_MEMORY = re.compile(r"out[ _]?of[ _]?memory|bad_alloc|failed to allocate|alloc_failed", re.IGNORECASE)


def require_no_gpu(
    encoder: EncoderInfo, modalities: Sequence[str], engine: Engine, options: PipelineOptions
) -> None:
    """Raise EngineError if the options want a GPU for the work of an engine that queues none there."""
    wants = {
        "prepare": not any(MODALITIES[m].tokens for m in modalities),
        "decode": any(m in modalities for m in ("image", "video")),
    }
    for name, concerned in wants.items():
        if concerned and getattr(options, name) == "gpu":
            raise EngineError(
                f"{name}='gpu' for {encoder.name}",
                f"its engine {engine.name} runs on {engine.device} and queues no work there",
                f"choose an engine on an NVIDIA GPU, or {name}='auto'",
            )


def runs_on_device(engine: Engine) -> bool:
    """Whether the core queues the engine's work on a GPU."""
    there = cuda_index(engine.device) is not None and isinstance(engine, GpuEngine)
    return there and _core.gpu.available()


def gpu_options(
    engine: Engine,
    encoder: EncoderInfo,
    modalities: Sequence[str],
    options: PipelineOptions,
    max_batch: int,
) -> dict[str, Any] | None:
    """How the core queues an engine's work on a GPU; None: the pipeline's thread runs the engine."""
    if not runs_on_device(engine):
        return None
    assert isinstance(engine, GpuEngine)
    for_graph = getattr(engine, "enqueue_for_graph", engine.enqueue)

    def enqueue(shape: tuple[int, ...], source: int, target: int, stream: int, kept: bool) -> None:
        # What is kept needs more: without that the core tries the same rows again.
        with memory_errors(logging.DEBUG if kept else logging.WARNING):
            (for_graph if kept else engine.enqueue)(shape, source, target, stream)

    records = options.cuda_graphs and not getattr(engine, "records_graphs", False)
    graphs = _graphs(encoder, modalities, max_batch) * options.gpu_buffers if records else 0
    return {
        "device": cuda_index(engine.device),
        "enqueue": enqueue,
        "input": input_type(engine, encoder),
        "sets": options.gpu_buffers,
        "graphs": graphs,
        "makes_rows": options.prepare != "cpu",
    }


def _graphs(encoder: EncoderInfo, modalities: Sequence[str], max_batch: int) -> int:
    """For each set of buffers: one for each number of rows, and of texts for each length."""
    rows = {n for m in modalities for n in _core.gpu.graph_rows(max_batch, MODALITIES[m].views)}
    lengths = {n for m in modalities for n in text_lengths(m, encoder)}
    return len(rows) * max(len(lengths), 1)


def input_type(engine: Engine, encoder: EncoderInfo) -> str:
    """What an engine reads on its GPU of rows that are float32 on the host; token ids stay what they are.

    Raises:
        EngineError: its ``input_dtype`` is nothing that it may be.
    """
    given = getattr(engine, "input_dtype", "float32")
    known = ("float32", "float16") if encoder.dtype == "float32" else ("float32",)
    if given not in known:
        raise EngineError(
            f"engine {engine.name!r} for {encoder.name}",
            f"its input_dtype is {given!r}"[:80],
            "leave it out: token ids are int64" if len(known) == 1 else f"it is {' or '.join(known)}",
        )
    return str(given)


@contextmanager
def memory_errors(level: int = logging.WARNING) -> Iterator[None]:
    """Raise MemoryError where an engine says that memory is the problem; it is logged at a level."""
    try:
        yield
    except EngineError as error:
        if _OUT_OF_MEMORY.search(error.problem):
            LOG.log(level, "%s; smaller batches are tried", error)
            raise MemoryError from error
        raise
