"""Which engines to build of which graphs; the record that finds them again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from bindrt.bundle import sha256_of
from bindrt.bundle.manifest import EncoderInfo
from bindrt_export.progress import Progress

if TYPE_CHECKING:
    from bindrt_export.calibration import Calibration

#: Raise it when a builder makes something else of the same graph.
BUILD_VERSION = 1


@dataclass(frozen=True)
class EngineRequest:
    """What to build: engines by name; for plans the targets, as ``sm_89``; the precisions.

    Attributes:
        calibration: folder of files that 8-bit ranges are measured on.
        allow: vectors past their precision's limit fail nothing.
    """

    engines: Sequence[str] = ()
    targets: Sequence[str] = ()
    precisions: Sequence[str] = ("fp32",)
    calibration: Path | None = None
    allow: bool = False


@dataclass(frozen=True)
class Graph:
    """One encoder's ONNX graph in a bundle, compared with torch.

    Attributes:
        encoder: its entry in the manifest.
        files: file entries, the graph first.
        key: of what it was made from.
        embed_dim: length of a vector.
    """

    encoder: Mapping[str, Any]
    precision: str
    files: Sequence[Mapping[str, Any]]
    key: str
    embed_dim: int

    @property
    def name(self) -> str:
        return str(self.encoder["name"])

    def info(self) -> EncoderInfo:
        return EncoderInfo(**{**self.encoder, "view": tuple(self.encoder["view"])})


@dataclass(frozen=True)
class Built:
    """An engine's entry in the manifest, what it was made from, and what was measured making it."""

    key: str
    entry: dict[str, Any]
    measured: dict[str, Any]

    def files(self) -> list[str]:
        return [str(f["path"]) for f in self.entry["files"]]

    def record(self) -> str:
        e = self.entry
        return f"parts/{e['encoder']}-{e['engine']}-{e['precision']}.json"


def build_engines(
    output: Path,
    staging: Path,
    graphs: Sequence[Graph],
    request: EngineRequest,
    calibration: Calibration,
    progress: Progress,
) -> list[Built]:
    """Build what is asked for and not there yet, in the half-made bundle ``staging``.

    Raises:
        ExportError: an engine refuses a graph, or computes something else than torch.
        OptionError: an engine is not installed, or cannot be built as asked.
    """
    built = []
    for engine in request.engines:
        for graph, precision in wanted(engine, graphs, request.precisions):
            if engine == "openvino":
                from bindrt_export.engines.openvino import OpenVinoBuilder

                builder: Any = OpenVinoBuilder(graph, request.allow)
            else:
                from bindrt_export.engines.tensorrt import PlanBuilder

                builder = PlanBuilder(graph, engine, precision, request.targets, calibration, request.allow)
            built.append(obtain(output, staging, builder, progress))
    return built


def wanted(engine: str, graphs: Sequence[Graph], precisions: Sequence[str]) -> list[tuple[Graph, str]]:
    """OpenVINO reads the graph of each precision; a plan is built from the float32 one."""
    if engine == "openvino":
        return [(graph, graph.precision) for graph in graphs if graph.precision in precisions]
    plain = [graph for graph in graphs if graph.precision == "fp32"]
    return [(graph, precision) for precision in precisions for graph in plain]


def obtain(output: Path, staging: Path, builder: Any, progress: Progress) -> Built:
    """From the half-made bundle, from the finished one, or built."""
    key = key_of(builder)
    name = f"{builder.graph.name} {builder.precision} {builder.engine}"
    for place in (staging, output):
        found = find(place, builder, key)
        if found is not None:
            if place is output:
                take_over(output, staging, found)
            progress.done(name, 0.0, size_of(found), "already there")
            return found
    start = perf_counter()
    progress.stage(name, "build")
    entry, measured = builder.build(staging)
    built = Built(key, entry, {**measured, "seconds": round(perf_counter() - start, 3)})
    write_record(staging, built)
    progress.done(name, perf_counter() - start, size_of(built), builder.note(measured))
    return built


def key_of(builder: Any) -> str:
    """Weights and graph, precision, target, version of the engine and of our way of building."""
    made_from = {
        "graph": [f["sha256"] for f in builder.graph.files],
        "engine": [builder.engine, builder.version],
        "precision": builder.precision,
        "target": builder.target,
        "build": BUILD_VERSION,
        "form": builder.form,
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def find(root: Path, builder: Any, key: str) -> Built | None:
    path = root / f"parts/{builder.graph.name}-{builder.engine}-{builder.precision}.json"
    try:
        built = Built(**json.loads(path.read_text("utf-8")))
        whole = built.key == key and "seconds" in built.measured
        whole = whole and all(sha256_of(root / f["path"]) == f["sha256"] for f in built.entry["files"])
    except Exception:  # what is damaged is made again
        return None
    return built if whole else None


def take_over(source: Path, target: Path, built: Built) -> None:
    for name in built.files():
        destination = target / name
        if not destination.exists():  # a shared graph is there already
            destination.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source / name, destination)
            except OSError:
                destination.write_bytes((source / name).read_bytes())
    write_record(target, built)


def write_record(root: Path, built: Built) -> None:
    path = root / built.record()
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(asdict(built), indent=1, sort_keys=True) + "\n", "utf-8")
    os.replace(beside, path)


def size_of(built: Built) -> int:
    return sum(int(f["bytes"]) for f in built.entry["files"])


def reference(root: Path, encoder: str) -> dict[str, Any]:
    """Torch's vectors for the probes, as the export has just written them."""
    with np.load(root / "parts" / f"{encoder}.npz", allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def cpu_entry(
    encoder: str, engine: str, precision: str, files: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The manifest's entry of an engine that runs a graph on a CPU."""
    return {
        "encoder": encoder,
        "engine": engine,
        "precision": precision,
        "target": "cpu",
        "min_batch": 1,
        "max_batch": None,
        "files": [dict(f) for f in files],
    }


def file_entry(root: Path, path: Path) -> dict[str, Any]:
    return {
        "path": path.relative_to(root).as_posix(),
        "sha256": sha256_of(path),
        "bytes": path.stat().st_size,
    }
