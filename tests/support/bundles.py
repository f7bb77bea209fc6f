"""Making bundles for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bindrt_export.request import EngineRequest, ExportRequest
from bindrt_export.terminal import SilentProgress

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL_CONFIG: dict[str, Any] = json.loads((ROOT / "tests/golden/model/small.json").read_text())

#: Sizes for random: so small that only tracing takes time.
TINY_CONFIG: dict[str, Any] = {"out_embed_dim": 16} | {
    f"{encoder}_{name}": value
    for encoder in ("vision", "text", "audio", "depth", "thermal", "imu")
    for name, value in (("embed_dim", 16), ("num_blocks", 1), ("num_heads", 2))
}


def small_checkpoint(folder: Path) -> Path:
    """Write the golden small model as a whole checkpoint; skips where torch is missing."""
    pytest.importorskip("torch")
    path = folder / "small.safetensors"
    subprocess.run([sys.executable, str(ROOT / "tools" / "small_checkpoint.py"), str(path)], check=True)
    return path


def export(
    checkpoint: Path | str,
    output: Path,
    config: dict[str, Any],
    modalities: list[str] | None = None,
    precisions: Sequence[str] = ("fp32",),
) -> Path:
    """Export a bundle; skips the test where torch is missing, as in the environment of `make wheel`."""
    pytest.importorskip("torch")
    from bindrt_export.exporter import run

    engines = EngineRequest(precisions=precisions)
    run(ExportRequest(str(checkpoint), output, config, modalities, engines), SilentProgress())
    return output


def export_tiny(output: Path, modalities: list[str], seed: int = 0) -> Path:
    return export(f"random:{seed}", output, TINY_CONFIG, modalities)
