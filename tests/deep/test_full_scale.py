"""imagebind_huge's sizes with random weights: export, check and embed within a small machine's memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import export
from support.commands import run_command
from support.golden import HERE

pytestmark = pytest.mark.deep

EXPORT_MEMORY = 6e9
#: All encoders loaded, their weights mapped or repacked, and a video's 15 views.
EMBED_MEMORY = 10e9
DISK = 12e9

#: One call with every modality, as on a machine without torch; prints shapes, norms and peak memory.
EMBED = """
import json, resource, sys
for name in ("torch", "onnx", "bindrt_export"):
    sys.modules[name] = None
import numpy as np
import bindrt
with bindrt.load(sys.argv[1]) as model:
    e = model.embed(**json.loads(sys.argv[2]))
    shapes = {m: list(rows.shape) for m, rows in e.items()}
    norms = {m: float(np.linalg.norm(rows[0])) for m, rows in e.items()}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"shapes": shapes, "norms": norms, "peak_rss_bytes": peak}))
"""


@pytest.fixture(scope="module")
def huge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The bundle and what its export took."""
    folder = tmp_path_factory.mktemp("huge")
    if shutil.disk_usage(folder).free < DISK:
        pytest.skip("needs 12 GB of disk")
    yield folder / "huge.bind", export.measure("random:0", folder / "huge.bind", keep=False)
    shutil.rmtree(folder)


def test_export_fits_a_small_machine(huge: tuple[Path, dict[str, Any]]) -> None:
    _, measured = huge
    print(f"\nexport: {measured['seconds']:.1f} s, peak memory {measured['peak_rss_bytes'] / 1e9:.2f} GB")
    assert measured["peak_rss_bytes"] <= EXPORT_MEMORY
    assert 4.7e9 < measured["bytes"] < 4.9e9
    assert all(e["difference_to_torch"]["max_abs"] < 1e-5 for e in measured["encoders"].values())


def test_check_passes(huge: tuple[Path, dict[str, Any]]) -> None:
    done = run_command("bind-export", "--check", huge[0], "--json", timeout=900)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"]


def test_all_modalities_embed(huge: tuple[Path, dict[str, Any]]) -> None:
    inputs = HERE / "inputs"
    items = {
        "image": str(inputs / "image/photo.webp"),
        "video": str(inputs / "video/short_1s2.mp4"),
        "text": "a dog",
        "audio": str(inputs / "audio/short_8k.wav"),
        "depth": str(inputs / "depth/d2.png"),
        "thermal": str(inputs / "thermal/t2.png"),
        "imu": str(inputs / "imu/s2.npz"),
    }
    done = subprocess.run(
        [sys.executable, "-c", EMBED, os.fspath(huge[0]), json.dumps(items)],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(f"\nembed: peak memory {found['peak_rss_bytes'] / 1e9:.2f} GB")
    assert found["shapes"] == {m: [1, 1024] for m in items}
    assert all(abs(norm - 1) < 1e-5 for norm in found["norms"].values())
    assert found["peak_rss_bytes"] <= EMBED_MEMORY
