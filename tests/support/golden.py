"""The original's reference data: the whole set where it is present, and the small part kept here.

The whole set is looked for in ``$BINDRT_GOLDEN`` and in ``shared/golden`` beside the repository. The
part in ``tests/golden`` has the same layout; its references are sampled: ``values`` holds every n-th
element along each axis, and ``steps`` of the manifest holds n.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

HERE = Path(__file__).resolve().parent.parent / "golden"
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)[:, None, None]
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)[:, None, None]
SUFFIXES = {"depth": (".npy", ".png"), "thermal": (".png",), "imu": (".npz",)}


def whole() -> Path | None:
    """The folder of the whole set, if it is here."""
    named = os.environ.get("BINDRT_GOLDEN")
    folder = Path(named) if named else HERE.parent.parent.parent / "shared" / "golden"
    return folder if (folder / "manifest.json").exists() else None


def roots() -> list[Path]:
    """Every set that is present."""
    return [
        folder for folder in (whole(), HERE) if folder is not None and (folder / "manifest.json").exists()
    ]


@dataclass(frozen=True)
class Case:
    """One input file and what the original returned for it."""

    root: Path
    modality: str
    path: Path
    entry: dict[str, Any]

    def reference(self, field: str = "values") -> np.ndarray:
        """The reference as the set keeps it: an array of ``.npy``, ``.npz`` or the pixels of a ``.png``."""
        path = self.root / "ref" / self.entry["ref"]
        if path.suffix == ".png":
            return np.asarray(PIL.Image.open(path))
        loaded = np.load(path)
        return loaded if isinstance(loaded, np.ndarray) else loaded[field]

    def sampled(self, actual: np.ndarray) -> np.ndarray:
        """The elements of ``actual`` that the reference holds."""
        steps = self.entry.get("steps")
        return actual[tuple(slice(None, None, n) for n in steps)] if steps else actual

    @property
    def is_whole(self) -> bool:
        return "steps" not in self.entry


def cases(modality: str) -> list[Any]:
    """The cases of a modality in every set, as pytest parameters."""
    found = []
    for root in roots():
        for name, entry in json.loads((root / "manifest.json").read_text())[modality].items():
            for suffix in SUFFIXES.get(modality, ("",)):
                path = root / "inputs" / modality / (name + suffix)
                if path.exists():
                    label = "part" if root == HERE else "whole"
                    found.append(pytest.param(Case(root, modality, path, entry), id=f"{label}-{path.name}"))
    return found


def pixels(array: np.ndarray) -> np.ndarray:
    """8-bit pixels ``[H, W, 3]`` back from the vision encoder's input ``[3, H, W]``."""
    exact = (array * STD + MEAN) * 255
    rounded = np.rint(exact)
    assert np.abs(exact - rounded).max() < 1e-3, "not (p/255 - mean)/std of whole numbers"
    return rounded.transpose(1, 2, 0).astype(np.uint8)
