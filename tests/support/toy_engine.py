"""An engine that reads the files of ONNX Runtime and computes bf16 from fp32 files, and nothing real."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bindrt.engines import ENGINES, EngineKind, EngineSettings, EngineSpec

#: The one number that a toy's vectors hold, by the precision that it was opened for.
NUMBERS = {"fp32": 1.0, "fp16": 2.0, "bf16": 3.0, "int8": 4.0}


class ToyEngine:
    """Writes the number of its precision."""

    name, device, max_batch = "toy", "cpu", 4

    def __init__(self, spec: EngineSpec, settings: EngineSettings) -> None:
        self.precision = spec.precision

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        out[...] = NUMBERS[self.precision]


def toy_kind(**changes: Any) -> EngineKind:
    """The declaration of the toy; ``changes`` are fields that differ."""
    fields: dict[str, Any] = {
        "name": "toy",
        "modules": ("json",),
        "distributions": ("bindrt",),
        "gives": "numbers",
        "remedy": "pip install toy",
        "devices": ("cpu",),
        "precisions": tuple(NUMBERS),
        "open": ToyEngine,
        "computes": {"fp32": ("bf16",), "fp16": ("bf16",)},
        "reads": ("onnxruntime",),
        "first_for": ("bf16", "int8"),
    }
    return EngineKind(**{**fields, **changes})


@pytest.fixture
def toy_alone() -> Iterator[Callable[..., None]]:
    """Makes the toy and ONNX Runtime all the engines there are; arguments change the toy's declaration."""
    saved = dict(ENGINES)

    def alone(**changes: Any) -> None:
        ENGINES.clear()
        ENGINES.update({"onnxruntime": saved["onnxruntime"], "toy": toy_kind(**changes)})

    yield alone
    ENGINES.clear()
    ENGINES.update(saved)  # in their order, which is one of preference


def bundle_of(folder: Path, source: Path, *precisions: str) -> Path:
    """A copy of a float32 bundle that claims to hold these precisions; the first is its default."""
    shutil.copytree(source, folder, copy_function=lambda a, b: Path(b).hardlink_to(a))
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["engines"] = [{**e, "precision": p} for p in precisions for e in manifest["engines"]]
    manifest["default_precision"] = precisions[0]
    (folder / "bundle.json").unlink()  # a link to the shared one
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return folder
