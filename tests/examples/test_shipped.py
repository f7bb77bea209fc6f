"""``bindrt.load("tiny")``: the shipped bundle is whole, ours, and binds what it was never shown together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bench.quality import run, scenes
from bindrt.bundle import SHIPPED
from bindrt.engines import ENGINES
from support.bundles import export
from support.commands import run_command

ROOT = Path(__file__).resolve().parent.parent.parent
WEIGHTS = ROOT / "examples" / "tiny" / "weights"


def test_every_byte_is_as_listed() -> None:
    with bindrt.load("tiny", verify=True) as model:
        assert set(model.modalities) == set(scenes.MODALITIES)
        assert model.bundle.path == SHIPPED["tiny"]


def test_a_folder_of_that_name_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(bindrt.BundleError, match=r"no bundle\.json"):
        bindrt.load("tiny")


def test_other_names_are_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(bindrt.BundleError, match=r"no such folder.*tiny"):
        bindrt.load("huge")


def test_its_licence_is_ours() -> None:
    folder = SHIPPED["tiny"]
    texts = " ".join(p.read_text("utf-8", "replace") for p in folder.rglob("*LICEN*") if p.is_file())
    assert "Apache License" in texts
    assert "bindrt project" in texts


def test_weights_are_small_and_the_card_tells_their_training() -> None:
    assert (WEIGHTS / "bind_tiny.safetensors").stat().st_size <= 16e6
    facts = json.loads((WEIGHTS / "training.json").read_text("utf-8"))
    assert {s["name"] for s in facts["stages"]} == {"image-text", "audio", "depth", "thermal", "imu"}
    assert sum(s["seconds"] for s in facts["stages"]) <= 2 * 90 * 60


def test_unseen_scenes_bind(tmp_path: Path) -> None:
    """Few scenes, so bounds are loose; ``python -m bench quality`` measures."""
    drawn = scenes.single_scenes("test", 4)
    kinds = np.array([kind for _, kind in drawn])
    with bindrt.load("tiny") as model:
        vectors = scenes.embed(model, scenes.files(tmp_path, [scene for scene, _ in drawn]))
    for pair in run.pairs(vectors, kinds):
        accuracy = pair["class_accuracy"]["value"]
        assert accuracy >= 0.6, pair  # chance is 1/13
        if (pair["query"], pair["item"]) == ("audio", "text"):
            assert accuracy >= 0.8, pair


@pytest.mark.deep
def test_scores_are_the_shipped_ones(tmp_path: Path) -> None:
    found = run.measure(Path("tiny"), tmp_path, say=lambda text: None)
    shipped = json.loads((WEIGHTS / "scores.json").read_text("utf-8"))
    assert found["space"] == shipped["space"]
    theirs = dict(run.flat(shipped))
    for name, value in run.flat(found):
        assert abs(value - theirs[name]) <= 0.01, name


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bind-tiny in fp32 and int8."""
    config = json.loads((WEIGHTS / "config.json").read_text())
    path = tmp_path_factory.mktemp("both") / "tiny.bind"
    return export(WEIGHTS / "bind_tiny.safetensors", path, config, precisions=("fp32", "int8"))


@pytest.mark.deep
@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_scores_of_the_native_engine(both: Path, tmp_path: Path, precision: str) -> None:
    """The mean of all scores loses no point beside the shipped ones."""
    if precision == "bf16" and ENGINES["native"].lacks("bf16"):
        pytest.skip("needs a processor with bf16 units")
    found = run.measure(both, tmp_path, lambda text: None, "native", precision)
    shipped = dict(run.flat(json.loads((WEIGHTS / "scores.json").read_text("utf-8"))))
    lost = [shipped[name] - value for name, value in run.flat(found)]
    assert sum(lost) / len(lost) <= 0.01


def test_commands_take_the_name(tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    done = run_command("bind-embed", "tiny", "--text", "a car driving", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert out.exists()
