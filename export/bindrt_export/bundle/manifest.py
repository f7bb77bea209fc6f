"""``bundle.json``: what a bundle holds. It depends on the checkpoint and the request alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bindrt.bundle.manifest import FORMAT, SCHEMA
from bindrt.bundle.space import space_of
from bindrt.modalities import MODALITIES
from bindrt.preprocess.dispatch import descriptions
from bindrt_export.artifacts.store import Artifact, FileEntry, file_entry, fresh
from bindrt_export.bundle.licences import licence_text
from bindrt_export.bundle.tokenizer import write_tokenizer

if TYPE_CHECKING:  # it needs torch; who reads a finished bundle does not
    from bindrt_export.checkpoints import Checkpoint

LICENCE = "LICENSE-WEIGHTS.txt"


def make_manifest(
    checkpoint: Checkpoint,
    modalities: Sequence[str],
    encoders: Mapping[str, Mapping[str, Any]],
    artifacts: Sequence[Artifact],
    tokenizer: FileEntry | None,
    licence: FileEntry,
    default_precision: str,
) -> dict[str, Any]:
    """The manifest of a bundle that holds these encoders, as these artifacts."""
    dim = checkpoint.embed_dim
    preprocessing = descriptions(modalities)
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "space": space_of(checkpoint.family, dim, checkpoint.fingerprint, preprocessing, default_precision),
        "model": {
            "family": checkpoint.family,
            "embed_dim": dim,
            "text_scale": checkpoint.text_scale,
            "weights": checkpoint.fingerprint,
        },
        "default_precision": default_precision,
        "encoders": dict(encoders),
        "modalities": {
            m: {
                "encoder": MODALITIES[m].encoder,
                "views": MODALITIES[m].views,
                "preprocessing": preprocessing[m],
            }
            for m in modalities
        },
        "engines": [artifact.entry for artifact in artifacts],
        "tokenizer": tokenizer,
        "license": licence,
    }


def add_tokenizer(folder: Path, modalities: Sequence[str]) -> FileEntry | None:
    """Copy the tokenizer into the bundle, if it reads text."""
    return file_entry(folder, write_tokenizer(folder)) if "text" in modalities else None


def add_licence(folder: Path, checkpoint: Checkpoint) -> FileEntry:
    """Write the weights' licence into the bundle."""
    path = fresh(folder / LICENCE)
    path.write_text(licence_text(checkpoint), "utf-8")
    return file_entry(folder, path)


def listed_paths(manifest: Mapping[str, Any]) -> set[str]:
    """Every file that a manifest lists."""
    entries = [f for entry in manifest["engines"] for f in entry["files"]]
    entries += [f for f in (manifest["license"], manifest["tokenizer"]) if f is not None]
    return {str(f["path"]) for f in entries}
