"""``--precision`` of the commands that load a bundle: what ``bindrt.load`` takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt.commands import search
from support.commands import run_command
from support.embedding import Embed
from support.stopwatch import timed


@pytest.fixture
def toys(
    toy_alone: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[], list[str]]:
    """The toy, which is fastest in bf16, and ONNX Runtime read bind-tiny."""
    toy_alone(startups=("fast-run", "fast-start"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return timed(monkeypatch, {"onnxruntime": 0.02, "toy fp32": 0.03, "toy bf16": 0.01})


@pytest.mark.parametrize("precision", ["bf16", "fast", "fastest"])
def test_embed(embed: Embed, toys: Callable[[], list[str]], precision: str) -> None:
    done = embed("--text", "a bell", "--precision", precision)
    assert done.code == 0, done.err
    vector = np.array(done.rows[0]["embedding"])
    assert vector == pytest.approx(np.full(96, 96**-0.5))  # the toy's, normalised
    assert done.rows[0]["space"] == bindrt.load("tiny").space


def test_embed_refuses_what_is_not_there(embed: Embed, toys: Callable[[], list[str]]) -> None:
    done = embed("--text", "a bell", "--precision", "int8")
    assert done.code == 2
    assert "precision='int8': not in this bundle; it has bf16, fp32" in done.err


@pytest.mark.parametrize("precision", ["bf16", "fast"])
def test_search(
    embed: Embed,
    toys: Callable[[], list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    precision: str,
) -> None:
    index = tmp_path / "a.index"
    assert embed("--text", "a bell", "--precision", "bf16", "--index", index).code == 0
    capsys.readouterr()
    assert search.main([str(index), "--text", "rain", "--precision", precision, "--json"]) == 0
    (hit,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert hit["score"] == pytest.approx(1.0)  # the toy's vectors are all the same


def test_bench_says_what_was_chosen(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    options = ("--modality", "imu", "--scenario", "single", "--duration", "0.02", "--runs", "1")
    done = run_command("bind-bench", "tiny", *options, "--precision", "fast", "--json", out)
    assert done.returncode == 0, done.stderr
    bundle = json.loads(out.read_text())["bundle"]
    assert bundle["precision"] in ("fp32", "bf16")
    assert bundle["space"] == bindrt.load("tiny").space
