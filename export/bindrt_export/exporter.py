"""A whole export, read from top to bottom: :func:`run` is the order in which everything happens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from bindrt.bundle import MANIFEST, open_bundle
from bindrt.errors import OptionError
from bindrt.modalities import MODALITIES
from bindrt_export.artifacts.float32 import Float32Recipe
from bindrt_export.artifacts.graph import EncoderGraph, encoder_info
from bindrt_export.artifacts.recipes import engine_recipes, precision_recipes
from bindrt_export.artifacts.store import ArtifactStore, write_json
from bindrt_export.bundle.manifest import add_licence, add_tokenizer, listed_paths, make_manifest
from bindrt_export.bundle.report import PAGE, REPORT, html, make_report
from bindrt_export.bundle.staging import (
    existing_parent,
    move_into_place,
    refuse_other_folder,
    require_space,
    staging_for,
)
from bindrt_export.checkpoints import Checkpoint, open_checkpoint
from bindrt_export.precision import require_supported, supported
from bindrt_export.precision.calibration import Calibration
from bindrt_export.progress import Progress
from bindrt_export.request import ENGINE, PRECISION, EngineRequest, ExportRequest
from bindrt_export.verification.probes import is_served
from bindrt_export.verification.retrieval import add_recalls, find_pairs

#: Peak memory beside the weights: Python, torch, activations; measured with imagebind_huge.
BASE_MEMORY = 1 << 30


def run(request: ExportRequest, progress: Progress) -> dict[str, Any]:
    """Export; returns the report, which also stands in the bundle's ``report.json``.

    Raises:
        CheckpointError, ExportError, OptionError: ``output`` is then what it was before.
    """
    start = perf_counter()
    # A link stays and leads to the new bundle; and a folder cannot be renamed by the name of ".".
    request = replace(request, output=Path(os.path.realpath(request.output)))
    asked = request.engines
    refuse_at_start(request)
    calibration = Calibration(asked.calibration)
    with open_checkpoint(request.checkpoint, request.config) as checkpoint:
        # Decide what to make.
        modalities = chosen_modalities(checkpoint, request.modalities)
        if request.pairs is not None:
            find_pairs(request.pairs, modalities)  # better now than at the end
        recipes = [Float32Recipe(checkpoint, e, asked.allow) for e in encoders_of(modalities)]
        with staging_for(request.output) as staging:
            store = ArtifactStore(staging, request.output, progress)
            require_space(request.output, sum(r.bytes() for r in recipes if not store.has(r)))

            # Take each artifact over from an earlier export, or make it and compare it with torch.
            float32 = {r.name: store.obtain(r) for r in recipes}
            encoders = {r.name: r.encoder_entry() for r in recipes}
            graphs = [
                EncoderGraph(staging, encoder_info(encoders[e]), checkpoint.embed_dim, artifact)
                for e, artifact in float32.items()
            ]
            derived = [store.obtain(r) for r in precision_recipes(graphs, asked, calibration)]
            graphs += [
                replace(g, artifact=a) for a in derived for g in graphs if g.name == a.entry["encoder"]
            ]
            derived += [store.obtain(r) for r in engine_recipes(graphs, asked, calibration)]

            # Write the manifest and the report.
            artifacts = [*float32.values(), *derived] if PRECISION in asked.precisions else derived
            manifest = make_manifest(
                checkpoint,
                modalities,
                encoders,
                artifacts,
                add_tokenizer(staging, modalities),
                add_licence(staging, checkpoint),
                request.default_precision,
            )
            write_json(staging / MANIFEST, manifest)
            open_bundle(staging)  # what was written must be readable
            report = make_report(checkpoint.name, modalities, float32, derived, artifacts, store.reused)
            if request.pairs is not None:
                add_recalls(staging, report["results"], request.pairs, asked.allow)
            report["seconds"] = round(perf_counter() - start, 3)
            write_json(staging / REPORT, report)
            (staging / PAGE).write_text(html(report), "utf-8")

            # Swap it into place.
            read_at_load = {MANIFEST} | listed_paths(manifest)
            if request.lean:
                store.remove_all_but(read_at_load, records=False)
            else:
                store.remove_all_but({REPORT, PAGE} | read_at_load)
            move_into_place(staging, request.output)
    return report


def dry_run(request: ExportRequest) -> dict[str, Any]:
    """What an export would build, without building: encoders, sizes, memory (bytes).

    Raises:
        CheckpointError, ExportError, OptionError: what the export would refuse at its start.
    """
    refuse_at_start(request)
    with open_checkpoint(request.checkpoint, request.config) as checkpoint:
        modalities = chosen_modalities(checkpoint, request.modalities)
        sizes = {e: checkpoint.parameter_count(e) * 4 for e in encoders_of(modalities)}
        return {
            "checkpoint": checkpoint.name,
            "family": checkpoint.family,
            "embed_dim": checkpoint.embed_dim,
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


def refuse_at_start(request: ExportRequest) -> None:
    """
    Raises:
        ExportError: something that is not a bundle stands at ``output``.
        OptionError: a precision that none of the engines asked for runs.
    """
    refuse_other_folder(request.output)
    refuse_unsupported(request.engines)


def refuse_unsupported(asked: EngineRequest) -> None:
    for precision in asked.precisions:
        if not any(precision in supported(engine) for engine in (ENGINE, *asked.engines)):
            require_supported(ENGINE, precision)


def chosen_modalities(checkpoint: Checkpoint, asked: Sequence[str] | None) -> list[str]:
    """The modalities to export, in their usual order.

    Raises:
        OptionError: one that the checkpoint has no encoder for.
    """
    views = {e: config.view for e, config in checkpoint.encoders.items()}
    held = [m.name for m in MODALITIES.values() if m.encoder in views and is_served(m, views[m.encoder])]
    for name in asked or ():
        if name not in held:
            raise OptionError(f"--modality {name}", "not in this checkpoint", f"it has {', '.join(held)}")
    return [m for m in held if asked is None or m in asked]


def encoders_of(modalities: Sequence[str]) -> list[str]:
    """The encoders that serve these modalities, each once."""
    return list(dict.fromkeys(MODALITIES[m].encoder for m in modalities))
