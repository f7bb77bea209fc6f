"""Parts of a bundle, as files of the repository."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bindrt.bundle import MANIFEST, Bundle, parse_json
from bindrt.modalities import MODALITIES
from bindrt_export.artifacts.store import write_json
from bindrt_export.bundle.manifest import listed_paths


def bundle_of(bundle: Bundle, modality: str, folder: Path) -> None:
    """Write a bundle with one modality of another, in the same space: the weights' fingerprint stays."""
    manifest = one_modality(parse_json((bundle.path / MANIFEST).read_bytes(), MANIFEST), modality)
    folder.mkdir(parents=True)
    for path in sorted(listed_paths(manifest)):
        link(bundle.path / path, folder / path)
    write_json(folder / MANIFEST, manifest)


def one_modality(manifest: Any, modality: str) -> dict[str, Any]:
    """A manifest without the other modalities, and without what only they need."""
    encoder = MODALITIES[modality].encoder
    return {
        **manifest,
        "modalities": _only(manifest["modalities"], modality),
        "encoders": _only(manifest["encoders"], encoder),
        "engines": [entry for entry in manifest["engines"] if entry["encoder"] == encoder],
        "tokenizer": manifest["tokenizer"] if MODALITIES[modality].tokens is not None else None,
    }


def link(source: Path, target: Path) -> None:
    """A second name for a file, so that large weights are there once; a copy where that is not possible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = source.resolve()
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)


def _only(entries: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {name: entries[name]}
