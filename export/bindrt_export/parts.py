"""One encoder's part of a bundle: built once, recorded, found again by a later run.

A part is identified by what it is made from. Its record is written last, so a part with a record
whose files have the recorded sizes is whole.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch

from bindrt.bundle import sha256_of
from bindrt.engines import EngineSettings, EngineSpec
from bindrt.engines.onnxruntime import OnnxRuntimeEngine
from bindrt.errors import CheckpointError
from bindrt_export.checkpoints import Checkpoint
from bindrt_export.passes import rewritten, rewritten_parameters
from bindrt_export.probes import Array, probes
from bindrt_export.progress import Progress
from bindrt_export.reference import run_reference
from bindrt_export.trace import OPSET, TRACE_VERSION, save_graph, trace, view_shape
from bindrt_export.verify import Rows, directed, examine
from bindrt_export.weights import WeightsFile, write_weights

PRECISION = "fp32"
ENGINE = "onnxruntime"
FOLDER = "onnx/fp32"
#: What a record must say of how its part was made.
RECORDED = {"seconds", "difference_to_torch", "latency_seconds", "probes"}


@dataclass(frozen=True)
class Part:
    """A finished encoder: its manifest entries and what was measured making it."""

    key: str
    encoder: dict[str, Any]
    files: list[dict[str, Any]]
    measured: dict[str, Any]

    def size(self) -> int:
        return sum(int(f["bytes"]) for f in self.files)


def part_key(checkpoint: Checkpoint, encoder: str) -> str:
    """What the part's bytes depend on, hashed."""
    made_from = {
        "weights": checkpoint.fingerprint,
        "config": asdict(checkpoint.encoders[encoder]),
        "precision": PRECISION,
        "opset": OPSET,
        "trace": TRACE_VERSION,
        "torch": torch.__version__.split("+")[0],
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def record_path(root: Path, encoder: str) -> Path:
    return root / "parts" / f"{encoder}.json"


def find_part(root: Path, encoder: str, key: str, verify: bool = False) -> Part | None:
    """A whole part with this key in a bundle or half-made bundle; with ``verify`` its files are hashed."""
    try:
        data = json.loads(record_path(root, encoder).read_text("utf-8"))
        part = Part(**data)
        whole = part.key == key and part.measured.keys() >= RECORDED and part.encoder["name"] == encoder
        whole = whole and all((root / f["path"]).stat().st_size == f["bytes"] for f in part.files)
        if whole and verify:
            whole = all(sha256_of(root / f["path"]) == f["sha256"] for f in part.files)
            # The size of an array is in its archive, which must be whole to be opened.
            with np.load(parity_path(root, encoder), allow_pickle=False) as vectors:
                whole = whole and all(vectors[probe].size for probe in part.measured["probes"])
    except Exception:  # of damaged bytes json, zipfile and NumPy raise a dozen kinds
        return None
    return part if whole else None


def take_over(source: Path, target: Path, part: Part, encoder: str) -> None:
    """Link (or copy) a part's files from one bundle to another."""
    for file in [*(f["path"] for f in part.files), f"parts/{encoder}.npz"]:
        destination = target / file
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.unlink(missing_ok=True)
        try:
            os.link(source / file, destination)
        except OSError:
            destination.write_bytes((source / file).read_bytes())
    write_record(target, encoder, part)


def write_record(root: Path, encoder: str, part: Part) -> None:
    path = record_path(root, encoder)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(part))


def write_json(path: Path, data: object) -> None:
    """Written beside and moved into place."""
    beside = path.with_name(path.name + ".new")
    with open(beside, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def build_part(
    root: Path, checkpoint: Checkpoint, encoder: str, key: str, progress: Progress, allow: bool = False
) -> Part:
    """Weights → graph → compared with torch; only this encoder is in memory.

    Raises:
        ExportError: the engine's vectors differ from torch's by more than the tolerance.
    """
    config = checkpoint.encoders[encoder]
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, float] = {}
    start = perf_counter()
    with timed(seconds, "weights"):
        progress.stage(encoder, "weights", checkpoint.parameter_count(encoder) * 4)
        weights = write_weights(
            folder / f"{encoder}.weights",
            rewritten_parameters(config, checkpoint.parameters(encoder)),
            lambda count: progress.advance(encoder, count),
        )
    with timed(seconds, "trace"):
        progress.stage(encoder, "trace")
        graph = folder / f"{encoder}.onnx"
        save_graph(trace(rewritten(config)), weights, graph)
        gc.collect()  # the traced program holds reference cycles
    inputs = probes(encoder, view_shape(config))
    with timed(seconds, "torch"):
        progress.stage(encoder, "torch", config.depth)
        # From the checkpoint again: what the weights file holds is what is being checked.
        reference = run_reference(
            config,
            checkpoint.parameters(encoder),
            inputs,
            advance=lambda count: progress.advance(encoder, count),
        )
    require_direction(checkpoint.name, encoder, reference)
    with timed(seconds, "verify"):
        progress.stage(encoder, "verify")
        info = encoder_entry(checkpoint, encoder, key)
        found = verify_part(graph, weights, info, config.out, inputs, reference, allow)
    np.savez(parity_path(root, encoder), **reference)  # type: ignore[arg-type]
    part = Part(
        key,
        info,
        [file_entry(root, graph), file_entry(root, weights.path, weights.sha256)],
        {"seconds": seconds, **found, "probes": list(inputs)},
    )
    write_record(root, encoder, part)
    note = f"max difference {found['difference_to_torch']['max_abs']:.1e}"
    progress.done(encoder, perf_counter() - start, part.size(), note)
    return part


def require_direction(name: str, encoder: str, reference: dict[str, Rows]) -> None:
    """
    Raises:
        CheckpointError: torch itself computes no vector with these weights.
    """
    for probe, rows in reference.items():
        if not directed(rows):
            raise CheckpointError(
                name,
                f"PyTorch's own {encoder} vector of the probe {probe} is zero or not finite",
                "the weights are damaged, or too large for float32; fetch it again",
            )


def parity_path(root: Path, encoder: str) -> Path:
    """Where torch's vectors for the probes are kept, for ``--check``."""
    path = root / "parts" / f"{encoder}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[stage] = round(perf_counter() - start, 3)


def verify_part(
    graph: Path,
    weights: WeightsFile,
    info: dict[str, Any],
    out: int,
    inputs: dict[str, Array],
    reference: dict[str, Rows],
    allow: bool,
) -> dict[str, Any]:
    spec = EngineSpec([graph, weights.path], info["name"], info["dtype"], out, PRECISION)
    engine = OnnxRuntimeEngine(spec, EngineSettings("cpu"))
    return examine(info["name"], engine, PRECISION, inputs, reference, allow)


def encoder_entry(checkpoint: Checkpoint, encoder: str, key: str) -> dict[str, Any]:
    config = checkpoint.encoders[encoder]
    return {
        "name": encoder,
        "width": config.width,
        "depth": config.depth,
        "heads": config.heads,
        "parameters": checkpoint.parameter_count(encoder),
        "scale": config.scale,
        "view": list(view_shape(config)),
        "dtype": "int64" if encoder == "text" else "float32",
        "part": key,
    }


def file_entry(root: Path, path: Path, sha256: str | None = None) -> dict[str, Any]:
    return {
        "path": path.relative_to(root).as_posix(),
        "sha256": sha256 or sha256_of(path),
        "bytes": path.stat().st_size,
    }
