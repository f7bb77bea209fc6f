"""``bind-export --profile edge``: the smallest bundle that loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt.bundle import open_bundle
from support.bundles import TINY_CONFIG
from support.commands import run_command


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edge")
    (folder / "tiny.json").write_text(json.dumps(TINY_CONFIG))
    output = folder / "edge.bind"
    asked = ["random:0", "-o", output, "--config", folder / "tiny.json", "--modality", "imu", "--allow"]
    done = run_command("bind-export", *asked, "--profile", "edge")
    assert done.returncode == 0, done.stderr
    return output


def test_it_holds_what_is_read_at_load_and_nothing_else(edge: Path) -> None:
    found = {path.relative_to(edge).as_posix() for path in edge.rglob("*") if path.is_file()}
    assert found == {"bundle.json", "LICENSE-WEIGHTS.txt", "onnx/int8/imu.onnx", "onnx/int8/imu.weights"}
    assert open_bundle(edge, verify=True).manifest.default_precision == "int8"


def test_it_embeds(edge: Path) -> None:
    with bindrt.load(edge) as model:
        found = model.embed(imu=bindrt.Imu(np.ones((6, 1000), np.float32), rate=200.0)).imu
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_check_says_why_there_is_nothing_to_compare_with(edge: Path) -> None:
    done = run_command("bind-export", "--check", edge)
    assert done.returncode == 1
    assert "without --profile edge" in done.stdout + done.stderr


def test_a_precision_that_is_given_wins(edge: Path) -> None:
    output = edge.parent / "float.bind"
    asked = ["random:0", "-o", output, "--config", edge.parent / "tiny.json", "--modality", "imu"]
    done = run_command("bind-export", *asked, "--profile", "edge", "--precision", "fp32")
    assert done.returncode == 0, done.stderr
    assert open_bundle(output).manifest.precisions() == ["fp32"]
    assert not (output / "parts").exists()
