"""IB-Score is the mean cosine of pairs, as plain loops find it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bindrt
from bindrt.commands.eval import main
from support.datasets import by_hand
from support.datasets.scenes import scenes, write_sound
from support.datasets.sights import write_film


def test_pairs_of_one_name(model: bindrt.Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos, sounds = tmp_path / "videos", tmp_path / "sounds"
    names = ("a.b", "c", "d")
    drawn = [scene for scene, _ in scenes(4, 1)]
    films = [write_film(videos / f"{n}.mp4", s, heard=False) for n, s in zip(names, drawn, strict=False)]
    heard = [write_sound(sounds / f"{n}.wav", s) for n, s in zip(names, drawn[1:], strict=True)]
    write_sound(sounds / "alone.wav", drawn[0])
    (videos / "notes.txt").write_text("not a video")
    pairs = zip(
        by_hand.embedded(model, "video", list(films)),
        by_hand.embedded(model, "audio", list(heard)),
        strict=True,
    )
    cosines = [by_hand.cosine(a, b) for a, b in pairs]
    assert main(["ib-score", str(videos), str(sounds), "--bundle", "tiny", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cosines"] == pytest.approx(dict(zip(names, cosines, strict=True)), abs=1e-6)
    assert told["value"] == pytest.approx(sum(cosines) / 3, abs=1e-6)
    assert told["low"] <= told["value"] <= told["high"]
    assert (told["unpaired"], told["space"]) == (["alone"], model.space)
    assert main(["tiny", "ib-score", str(videos), str(sounds)]) == 0
    out = capsys.readouterr()
    assert f"IB-Score {told['value']:.4f}" in out.out
    assert "1 file has no partner: alone" in out.err


def test_what_is_wrong_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folders, message in (
        ((tmp_path / "none", tmp_path), "it is not a folder"),
        ((tmp_path, tmp_path), "none of its 0 sounds has the name of one of 0 videos"),
    ):
        assert main(["tiny", "ib-score", *map(str, folders)]) == 1
        assert message in capsys.readouterr().err
