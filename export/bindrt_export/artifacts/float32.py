"""One encoder's float32 graph and weights: written from the checkpoint, compared with torch."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from bindrt.errors import CheckpointError
from bindrt_export.artifacts.graph import cpu_entry, encoder_info
from bindrt_export.artifacts.store import Made, file_entry, fresh, key_of
from bindrt_export.checkpoints import Checkpoint
from bindrt_export.passes import rewritten, rewritten_parameters
from bindrt_export.progress import Progress
from bindrt_export.request import ENGINE, PRECISION
from bindrt_export.tracing.trace import OPSET, TRACE_VERSION, save_graph, trace_encoder
from bindrt_export.tracing.weights import WeightsFile, write_weights
from bindrt_export.verification.comparison import Rows, examine, have_direction, open_on_cpu, vectors_path
from bindrt_export.verification.probes import probe_inputs
from bindrt_export.verification.reference import run_reference

FOLDER = f"onnx/{PRECISION}"


class Float32Recipe:
    """Weights → graph → compared with torch. Only this encoder is in memory."""

    measures = frozenset({"seconds", "difference_to_torch", "latency_seconds", "probes"})

    def __init__(self, checkpoint: Checkpoint, encoder: str, allow: bool = False) -> None:
        """``allow``: vectors past the limit of float32 fail nothing."""
        self.name = self.record = encoder
        self._checkpoint = checkpoint
        self._config = checkpoint.encoders[encoder]
        self._allow = allow
        self.key = key_of(
            {
                "weights": checkpoint.fingerprint,
                "config": asdict(self._config),
                "precision": PRECISION,
                "opset": OPSET,
                "trace": TRACE_VERSION,
                "torch": torch.__version__.split("+")[0],
            }
        )

    def bytes(self) -> int:
        """What its weights take on the disk, without padding."""
        return 4 * self._checkpoint.parameter_count(self.name)

    def encoder_entry(self) -> dict[str, Any]:
        """The encoder's entry in the manifest."""
        c = self._config
        return {
            "name": self.name,
            "width": c.width,
            "depth": c.depth,
            "heads": c.heads,
            "parameters": self._checkpoint.parameter_count(self.name),
            "scale": c.scale,
            "view": list(c.view),
            "dtype": "int64" if c.reads_tokens else "float32",
            "part": self.key,
        }

    def make(self, root: Path, progress: Progress) -> Made:
        """Write weights, graph and torch's vectors.

        Raises:
            ExportError: the engine's vectors differ from torch's by more than the tolerance.
            CheckpointError: torch itself computes no vectors with these weights.
        """
        graph = root / FOLDER / f"{self.name}.onnx"
        inputs = probe_inputs(self.name, self._config.view)
        seconds: dict[str, float] = {}
        with timed(seconds, "weights"):
            weights = self._write_weights(graph.with_suffix(".weights"), progress)
        with timed(seconds, "trace"):
            progress.stage(self.name, "trace")
            save_graph(trace_encoder(rewritten(self._config)), weights, fresh(graph))
            gc.collect()  # the traced program holds reference cycles
        with timed(seconds, "torch"):
            vectors = self._run_torch(inputs, progress)
        require_direction(self._checkpoint.name, self.name, vectors)
        with timed(seconds, "verify"):
            progress.stage(self.name, "verify")
            info = encoder_info(self.encoder_entry())
            engine = open_on_cpu(ENGINE, [graph, weights.path], info, self._config.out, PRECISION)
            found = examine(self.name, engine, PRECISION, inputs, vectors, self._allow)
        kept = fresh(root / vectors_path(self.name))
        np.savez(kept, **vectors)  # type: ignore[arg-type]
        files = [file_entry(root, graph), file_entry(root, weights.path, weights.sha256)]
        return Made(
            cpu_entry(self.name, ENGINE, PRECISION, files),
            {"seconds": seconds, **found, "probes": list(inputs)},
            [file_entry(root, kept)],
        )

    def note(self, measured: Mapping[str, Any]) -> str:
        return f"max difference {measured['difference_to_torch']['max_abs']:.1e}"

    def _write_weights(self, path: Path, progress: Progress) -> WeightsFile:
        progress.stage(self.name, "weights", self.bytes())
        return write_weights(
            fresh(path),
            rewritten_parameters(self._config, self._checkpoint.parameters(self.name)),
            lambda count: progress.advance(self.name, count),
        )

    def _run_torch(self, inputs: Mapping[str, np.ndarray], progress: Progress) -> dict[str, Rows]:
        progress.stage(self.name, "torch", self._config.depth)
        # From the checkpoint again: what the weights file holds is what is being checked.
        return run_reference(
            self._config,
            self._checkpoint.parameters(self.name),
            inputs,
            advance=lambda count: progress.advance(self.name, count),
        )


def require_direction(name: str, encoder: str, vectors: Mapping[str, Rows]) -> None:
    """
    Raises:
        CheckpointError: torch itself computes no vector with these weights.
    """
    for probe, rows in vectors.items():
        if not have_direction(rows):
            raise CheckpointError(
                name,
                f"PyTorch's own {encoder} vector of the probe {probe} is zero or not finite",
                "the weights are damaged, or too large for float32; fetch it again",
            )


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[stage] = round(perf_counter() - start, 3)
