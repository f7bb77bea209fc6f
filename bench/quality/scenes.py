"""The test scenes: rendered to files once, then embedded by a bundle."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

import bindrt
from bench.paths import ROOT
from bindrt import modalities

sys.path.insert(0, str(ROOT / "examples"))  # for `tiny`

from tiny.world import KINDS, Scene, Split, sample, write_files

NAMES = tuple(KINDS)
MODALITIES = tuple(modalities.MODALITIES)
_FIRST_SEED = 1_000_000  # training counts from 0


def single_scenes(split: Split, a_kind: int) -> list[tuple[Scene, int]]:
    """``a_kind`` scenes of each kind, with the kind's number."""
    return [
        (sample(_FIRST_SEED + 1000 * n + i, (name,), split), n)
        for n, name in enumerate(NAMES)
        for i in range(a_kind)
    ]


def pair_scenes() -> list[tuple[Scene, int, int]]:
    """One scene of every two kinds."""
    return [
        (sample(_FIRST_SEED * 2 + 100 * a + b, (NAMES[a], NAMES[b]), "test"), a, b)
        for a in range(len(NAMES))
        for b in range(a + 1, len(NAMES))
    ]


def files(folder: Path, scenes: list[Scene]) -> list[dict[str, Path]]:
    """Each scene's files; those that do not exist yet are made."""
    listing = folder / "files.json"
    key = [[s.seed, *(e.kind for e in s.events)] for s in scenes]
    if listing.exists():
        found = json.loads(listing.read_text())
        if found["key"] == key:
            return [{m: folder / name for m, name in paths.items()} for paths in found["files"]]
    written = [write_files(scene, folder, f"{i:04d}-{scene.kind}") for i, scene in enumerate(scenes)]
    names = [{m: p.name for m, p in paths.items()} for paths in written]
    listing.write_text(json.dumps({"key": key, "files": names}))
    return written


def write_pairs(folder: Path, rendered: Path, a_kind: int) -> None:
    """The unseen scenes as links: ``FOLDER/image/0000.jpg``, ``FOLDER/audio/0000.wav``, …"""
    scenes = [scene for scene, _ in single_scenes("test", a_kind)]
    for i, paths in enumerate(files(rendered, scenes)):
        for modality, path in paths.items():
            link = folder / modality / f"{i:04d}{path.suffix}"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(path.absolute())


def embed(
    model: bindrt.Model, paths: list[dict[str, Path]], modalities: tuple[str, ...] = MODALITIES
) -> dict[str, npt.NDArray[np.float32]]:
    """Unit vectors ``[N, D]`` by modality, from the files."""
    given = {
        m: [p["text"].read_text("utf-8").strip() for p in paths] if m == "text" else [p[m] for p in paths]
        for m in modalities
    }
    found = model.embed(**given)  # type: ignore[arg-type]
    return {m: found[m] for m in modalities}
