"""``Model.trace``: one file of what all encoders did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import bindrt
from support.commands import run_command
from support.golden import HERE

INPUTS = HERE / "inputs"


def spans(path: Path) -> list[dict[str, Any]]:
    return [e for e in json.loads(path.read_text())["traceEvents"] if e["ph"] == "X"]


def test_all_encoders_on_one_clock(small_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with bindrt.load(small_bundle) as model:
        model.submit("text", "before").result(60)
        with model.trace(path):
            for text in ("a", "b"):
                model.submit("text", text).result(60)
            model.submit("audio", INPUTS / "audio/short_8k.wav").result(60)
            model.unload("text")
            model.submit("imu", INPUTS / "imu/s2.npz").result(60)
            model.submit("text", "c").result(60)
        model.submit("text", "after").result(60)
    found = json.loads(path.read_text())
    assert found["otherData"]["missed"] == 0
    for stage in ("prepare", "engine"):
        names = [e["name"] for e in sorted(spans(path), key=lambda e: e["ts"]) if e["cat"] == stage]
        assert names == [f"{stage} {m}" for m in ("text", "text", "audio", "imu", "text")]
    for event in spans(path):
        assert event["ts"] >= 0
        assert event["dur"] >= 0
    named = {e["tid"] for e in found["traceEvents"] if e["name"] == "thread_name"}
    assert {e["tid"] for e in spans(path)} == named


def test_memory_is_bounded(small_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with bindrt.load(small_bundle) as model, model.trace(path, spans=5):
        for _ in range(2):
            for text in ("a", "b", "c"):
                model.submit("text", text).result(60)
            model.unload("text")
    assert len(spans(path)) == 5
    assert json.loads(path.read_text())["otherData"]["missed"] == 13


def test_it_is_written_whatever_happens(small_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    model = bindrt.load(small_bundle)

    def fails() -> None:
        with model.trace(path):
            model.submit("text", "a").result(60)
            with pytest.raises(bindrt.Error, match="already"), model.trace(tmp_path / "other.json"):
                pass
            model.close()
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert {e["cat"] for e in spans(path)} >= {"prepare", "engine"}
    for wrong in (0, 1.5):
        with pytest.raises(bindrt.OptionError), model.trace(path, spans=wrong):  # type: ignore[arg-type]
            pass
    with pytest.raises(bindrt.OptionError, match="cannot be written"), model.trace(tmp_path / "no/such.json"):
        pass


def test_bind_embed_writes_one(small_bundle: Path, tmp_path: Path) -> None:
    path, photo = tmp_path / "run.json", INPUTS / "image/photo.webp"
    done = run_command("bind-embed", small_bundle, photo, "--text", "a", "--trace", path)
    assert done.returncode == 0, done.stderr
    assert {e["name"] for e in spans(path) if e["cat"] == "engine"} == {"engine image", "engine text"}
    done = run_command("bind-embed", small_bundle, photo, "--trace", tmp_path / "no/such.json")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
