"""A whole export: plan, parts one encoder at a time, the manifest, and the move into place."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from bindrt.bundle import MANIFEST, open_bundle
from bindrt.bundle.manifest import FORMAT, SCHEMA
from bindrt.bundle.space import space_of
from bindrt.errors import OptionError
from bindrt.hardware import peak_memory
from bindrt.modalities import MODALITIES
from bindrt.preprocess import describe
from bindrt_export.calibration import Calibration
from bindrt_export.checkpoints import Checkpoint, open_checkpoint
from bindrt_export.cpu_forms import CpuFormBuilder
from bindrt_export.engines import Built, EngineRequest, Graph, build_engines
from bindrt_export.engines.build import cpu_entry
from bindrt_export.engines.build import obtain as obtain_engine
from bindrt_export.licences import licence_text
from bindrt_export.parts import (
    ENGINE,
    PRECISION,
    Part,
    build_part,
    file_entry,
    find_part,
    part_key,
    take_over,
    write_json,
)
from bindrt_export.precision import require_supported, supported
from bindrt_export.progress import Progress
from bindrt_export.report import PAGE, REPORT, html, rows
from bindrt_export.retrieval import compare as compare_retrieval
from bindrt_export.retrieval import find_pairs
from bindrt_export.staging import (
    existing_parent,
    move_into_place,
    refuse_other_folder,
    require_space,
    staging_for,
)
from bindrt_export.tokenizer import write_tokenizer

#: Peak memory beside the weights: Python, torch, activations; measured with imagebind_huge.
BASE_MEMORY = 1 << 30


@dataclass(frozen=True)
class Request:
    """What to export: a checkpoint (path or ``random:SEED``), where to, and which modalities (None: all).

    Attributes:
        engines: to build beside ONNX Runtime, which every bundle has.
        default_precision: what ``bindrt.load`` takes.
        pairs: folder of files that belong together; what precisions cost in retrieval is measured on them.
    """

    checkpoint: str
    output: Path
    config: Mapping[str, Any]
    modalities: Sequence[str] | None = None
    engines: EngineRequest = field(default_factory=EngineRequest)
    default_precision: str = PRECISION
    pairs: Path | None = None


def plan(request: Request) -> dict[str, Any]:
    """What an export would build, without building: encoders, sizes, memory (bytes).

    Raises:
        CheckpointError, ExportError, OptionError: what the export would refuse at its start.
    """
    refuse_at_start(request)
    with open_checkpoint(request.checkpoint, request.config) as checkpoint:
        modalities = wanted(checkpoint, request.modalities)
        sizes = {e: checkpoint.parameter_count(e) * 4 for e in encoders_of(modalities)}
        return {
            "checkpoint": checkpoint.name,
            "family": checkpoint.family,
            "embed_dim": checkpoint.encoders["text"].out,
            "modalities": modalities,
            "encoders": {
                e: {
                    "parameters": checkpoint.parameter_count(e),
                    "bytes": size,
                    "width": checkpoint.encoders[e].width,
                    "depth": checkpoint.encoders[e].depth,
                    "heads": checkpoint.encoders[e].heads,
                    "precision": PRECISION,
                    "engine": ENGINE,
                }
                for e, size in sizes.items()
            },
            "bytes": sum(sizes.values()),
            # Made from the encoders above, and not in the sizes.
            "also": [p for p in request.engines.precisions if p != PRECISION] + list(request.engines.engines),
            "memory": BASE_MEMORY + max(sizes.values()),
            "disk_free": shutil.disk_usage(existing_parent(request.output)).free,
        }


def run(request: Request, progress: Progress) -> dict[str, Any]:
    """Export; returns the report, which also stands in the bundle's ``report.json``.

    Raises:
        CheckpointError, ExportError: nothing stands at ``output`` then but what stood there before.
    """
    start = perf_counter()
    # A link stays and leads to the new bundle; and a folder cannot be renamed by the name of ".".
    request = replace(request, output=Path(os.path.realpath(request.output)))
    refuse_at_start(request)
    calibration = Calibration(request.engines.calibration)
    with open_checkpoint(request.checkpoint, request.config) as checkpoint:
        modalities = wanted(checkpoint, request.modalities)
        if request.pairs is not None:
            find_pairs(request.pairs, modalities)  # better now than at the end
        keys = {e: part_key(checkpoint, e) for e in encoders_of(modalities)}
        with staging_for(request.output) as staging:
            missing = [e for e, key in keys.items() if not is_there(request.output, staging, e, key)]
            require_space(request.output, sum(checkpoint.parameter_count(e) * 4 for e in missing))
            reused: list[str] = []
            parts: dict[str, Part] = {}
            for encoder, key in keys.items():
                parts[encoder] = obtain(request, staging, checkpoint, encoder, key, progress, reused)
            dim = checkpoint.encoders["text"].out
            graphs = [Graph(p.encoder, PRECISION, p.files, p.key, dim) for p in parts.values()]
            forms = build_forms(request, staging, graphs, calibration, progress)
            graphs += [
                Graph(parts[f.entry["encoder"]].encoder, f.entry["precision"], f.entry["files"], f.key, dim)
                for f in forms
            ]
            engines = forms + build_engines(
                request.output, staging, graphs, request.engines, calibration, progress
            )
            manifest = make_manifest(staging, checkpoint, modalities, parts, engines, request)
            report = make_report(checkpoint, parts, engines, reused, perf_counter() - start)
            report["results"] = rows(parts, engines, request.engines.precisions, modalities)
            write_json(staging / MANIFEST, manifest)
            open_bundle(staging)  # what was written must be readable
            if request.pairs is not None:
                compare_retrieval(staging, report["results"], request.pairs, request.engines.allow)
            write_json(staging / REPORT, report)
            (staging / PAGE).write_text(html(report), "utf-8")
            remove_strangers(staging, manifest, parts, engines)
            move_into_place(staging, request.output)
    return report


def build_forms(
    request: Request, staging: Path, graphs: Sequence[Graph], calibration: Calibration, progress: Progress
) -> list[Built]:
    """The graphs of other precisions that ONNX Runtime runs."""
    wanted_here = [p for p in request.engines.precisions if p != PRECISION and p in supported(ENGINE)]
    return [
        obtain_engine(
            request.output, staging, CpuFormBuilder(graph, p, calibration, request.engines.allow), progress
        )
        for p in wanted_here
        for graph in graphs
    ]


def refuse_at_start(request: Request) -> None:
    refuse_other_folder(request.output)
    refuse_unsupported(request.engines)


def refuse_unsupported(engines: EngineRequest) -> None:
    """
    Raises:
        OptionError: a precision that none of the engines asked for runs.
    """
    for precision in engines.precisions:
        if not any(precision in supported(engine) for engine in (ENGINE, *engines.engines)):
            require_supported(ENGINE, precision)


def obtain(
    request: Request,
    staging: Path,
    checkpoint: Checkpoint,
    encoder: str,
    key: str,
    progress: Progress,
    reused: list[str],
) -> Part:
    """A part, from the half-made bundle, from the finished one, or built."""
    output = request.output
    for place in (staging, output):
        # What is damaged is made again: exporting is the remedy that --check names.
        part = find_part(place, encoder, key, verify=True)
        if part is not None:
            if place is output:
                take_over(output, staging, part, encoder)
            reused.append(encoder)
            progress.done(encoder, 0.0, part.size(), "already there")
            return part
    return build_part(staging, checkpoint, encoder, key, progress, request.engines.allow)


def is_there(output: Path, staging: Path, encoder: str, key: str) -> bool:
    return any(find_part(place, encoder, key) is not None for place in (staging, output))


def wanted(checkpoint: Checkpoint, modalities: Sequence[str] | None) -> list[str]:
    """The modalities to export, in their usual order."""
    held = [m.name for m in MODALITIES.values() if m.encoder in checkpoint.encoders]
    if checkpoint.family == "openclip":
        held.remove("video")  # its vision encoder takes single frames
    for name in modalities or ():
        if name not in held:
            raise OptionError(f"--modality {name}", "not in this checkpoint", f"it has {', '.join(held)}")
    return [m for m in held if modalities is None or m in modalities]


def encoders_of(modalities: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(MODALITIES[m].encoder for m in modalities))


def make_manifest(
    staging: Path,
    checkpoint: Checkpoint,
    modalities: list[str],
    parts: Mapping[str, Part],
    engines: Sequence[Built],
    request: Request,
) -> dict[str, Any]:
    """``bundle.json``; depends on the checkpoint and the request alone."""
    licence = staging / "LICENSE-WEIGHTS.txt"
    licence.write_text(licence_text(checkpoint), "utf-8")
    tokenizer = file_entry(staging, write_tokenizer(staging)) if "text" in modalities else None
    dim = checkpoint.encoders["text"].out
    preprocessing = {m: describe(m) for m in MODALITIES}
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "space": space_of(
            checkpoint.family, dim, checkpoint.fingerprint, preprocessing, request.default_precision
        ),
        "model": {
            "family": checkpoint.family,
            "embed_dim": dim,
            "text_scale": checkpoint.text_scale,
            "weights": checkpoint.fingerprint,
        },
        "default_precision": request.default_precision,
        "encoders": {e: part.encoder for e, part in parts.items()},
        "modalities": {
            m: {
                "encoder": MODALITIES[m].encoder,
                "views": MODALITIES[m].views,
                "preprocessing": preprocessing[m],
            }
            for m in modalities
        },
        "engines": [
            cpu_entry(e, ENGINE, PRECISION, part.files)
            for e, part in parts.items()
            if PRECISION in request.engines.precisions
        ]
        + [built.entry for built in engines],
        "tokenizer": tokenizer,
        "license": file_entry(staging, licence),
    }


def make_report(
    checkpoint: Checkpoint,
    parts: Mapping[str, Part],
    engines: Sequence[Built],
    reused: list[str],
    seconds: float,
) -> dict[str, Any]:
    """What was measured; differs from run to run."""
    return {
        "checkpoint": Path(checkpoint.name).name,
        "encoders": {e: {**p.measured, "bytes": p.size(), "reused": e in reused} for e, p in parts.items()},
        "engines": [
            {**{k: b.entry[k] for k in ("encoder", "engine", "precision", "target")}, **b.measured}
            for b in engines
        ],
        "bytes": bytes_of(parts, engines),
        "seconds": round(seconds, 3),
        "peak_rss_bytes": peak_memory(),
        "made_with": {
            "machine": platform.machine(),
            "python": platform.python_version(),
            **{name: version(name) for name in ("bindrt", "torch", "onnx", "onnxruntime", "numpy")},
        },
    }


def bytes_of(parts: Mapping[str, Part], engines: Sequence[Built]) -> int:
    """Of all files of encoders, each counted once."""
    listed = [f for p in parts.values() for f in p.files] + [f for b in engines for f in b.entry["files"]]
    return sum({str(f["path"]): int(f["bytes"]) for f in listed}.values())


def remove_strangers(
    staging: Path, manifest: Mapping[str, Any], parts: Mapping[str, Part], engines: Sequence[Built]
) -> None:
    """Remove what an earlier, different export left in the staging folder."""
    keep = {MANIFEST, REPORT, PAGE, manifest["license"]["path"]}
    if manifest["tokenizer"] is not None:
        keep.add(manifest["tokenizer"]["path"])
    for encoder in parts:
        keep |= {f"parts/{encoder}.json", f"parts/{encoder}.npz"}
    keep |= {f["path"] for entry in manifest["engines"] for f in entry["files"]}
    for built in engines:
        keep |= {*built.files(), built.record()}
    for path in sorted(staging.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(staging).as_posix() not in keep:
            path.unlink()
