"""``bind-eval`` as a user runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import bindrt
from bindrt.commands.eval import main
from support.datasets import by_hand

from .conftest import TEMPLATES, Copies


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    path = tmp_path / "sentences.txt"
    path.write_text("\n".join(TEMPLATES) + "\n\n", "utf-8")
    return path


def test_esc50(
    model: bindrt.Model, copies: Copies, templates: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = copies("esc50")
    out, page, cache = tmp_path / "out.json", tmp_path / "out.html", tmp_path / "cache"
    words = ["tiny", "esc50", str(made.path), "--templates", str(templates), "--cache", str(cache)]
    assert main([*words, "--json", str(out), "--html", str(page)]) == 0
    told = json.loads(out.read_text("utf-8"))
    (score,) = told["scores"]
    assert score["value"] == pytest.approx(
        by_hand.top1(made, by_hand.nearness(model, made, TEMPLATES)), abs=1e-9
    )
    assert score["low"] <= score["value"] <= score["high"]
    assert (score["published"], score["count"], score["interval"]) == (66.9, len(made.items), "Wilson")
    assert (told["space"], told["dataset"], told["precision"]) == (model.space, "esc50", "fp32")
    (confusion,) = told["confusion"]
    assert confusion["classes"] == [name.replace(" ", "_") for name in made.classes]
    right = sum(row[at] for at, row in enumerate(confusion["counts"]))
    assert 100 * right / len(made.items) == pytest.approx(score["value"])
    shown = capsys.readouterr().out
    assert "66.9" in shown
    assert f"{score['value']:.1f}" in shown
    assert "<h1>ESC-50" in page.read_text("utf-8")
    assert main([*words, "--json", "-"]) == 0  # from the vectors that were kept
    again = json.loads(capsys.readouterr().out)
    assert again["scores"] == told["scores"]


def test_another_bundle_at_the_same_questions(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = copies("clotho")
    out = tmp_path / "out.json"
    assert main(["tiny", "clotho", str(made.path), "--against", "tiny", "--json", str(out)]) == 0
    told = json.loads(out.read_text("utf-8"))
    assert told["against"]["scores"] == told["scores"]
    assert [d["value"] for d in told["differences"]] == [0, 0, 0]
    assert all(d["within_half_a_point"] for d in told["differences"])
    assert "within half a point" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["tiny", "esc5", "."], 2, "there is no such task; one of esc50"),
        (["tiny", "esc50"], 2, "0 folders given"),
        (["esc50", "."], 2, "no bundle is named"),
        (["tiny"], 2, "there is no such task"),
        (["tiny", "ib-score", "."], 2, "1 folders given; give VIDEOS SOUNDS"),
        (["tiny", "esc50", "nowhere"], 1, "karolpiczak/ESC-50"),
        (
            ["tiny", "esc50", "DIR", "--protocol", "retrieval"],
            2,
            "take zero-shot or linear-probe",
        ),
        (["tiny", "esc50", "DIR", "--weight", "audio=1"], 2, "items are of one modality"),
        (["tiny", "esc50", "DIR", "--weight", "audio"], 2, "not a modality with its weight"),
        (["tiny", "esc50", "DIR", "--shots", "0"], 2, "0 examples teach nothing"),
        (["tiny", "esc50", "DIR", "--templates", "none.txt"], 1, "none.txt"),
        (["nosuch.bind", "esc50", "DIR"], 1, "nosuch.bind"),
    ],
)
def test_what_is_wrong_is_told(
    words: list[str], code: int, message: str, copies: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(copies("esc50").path)
    assert main([folder if word == "DIR" else word for word in words]) == code
    assert message in capsys.readouterr().err


def test_lists_that_are_not_as_published(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "meta").mkdir()
    table = tmp_path / "meta/esc50.csv"
    whole = (copies("esc50").path / "meta/esc50.csv").read_text("utf-8")
    for text, message in (
        (whole.replace("category", "kind"), "it has no column category"),
        (whole[: whole.rindex(",a_")], "is cut off"),
        (whole.splitlines()[0], "its lists are empty"),
    ):
        table.write_text(text, "utf-8")
        assert main(["tiny", "esc50", str(tmp_path)]) == 1
        assert message in capsys.readouterr().err


def as_json(words: list[Any], capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert main([*map(str, words), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_items_that_cannot_be_read(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = copies("vggsound")
    for path in made.path.rglob("*.*"):
        copy = tmp_path / path.relative_to(made.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    bad = tmp_path / made.items[0].relative_to(made.path)
    bad.write_bytes(b"RIFF")
    words = ["tiny", "vggsound", str(tmp_path), "--templates", "plain"]
    assert main(words) == 1
    assert bad.name in capsys.readouterr().err
    told = as_json([*words, "--on-error", "skip"], capsys)
    assert (told["failed"], told["scores"][0]["count"]) == (1, len(made.items) - 1)
    assert as_json([*words, "--on-error", "skip"], capsys) == told
    assert main(words) == 1  # kept vectors do not hide the error


@pytest.mark.parametrize("content", [b"", b"\x00\xff no list\n" * 9], ids=["empty", "bytes"])
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("esc50", "meta/esc50.csv"),
        ("places365", "categories_places365.txt"),
        ("imagenet", "classnames.txt"),
        ("audiocaps", "final_filtered_test_list.txt"),
        ("ego4d", "imu/00000000-ab.csv"),
        ("kinetics400", "annotations/val.csv"),
    ],
)
def test_a_damaged_list_is_told(
    name: str, file: str, content: bytes, copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(copies(name).path, tmp_path / "copy")
    (tmp_path / "copy" / file).write_bytes(content)
    assert main(["tiny", name, str(tmp_path / "copy")]) == 1
    assert str(tmp_path / "copy") in capsys.readouterr().err


def test_lists_that_are_shorter_than_the_published_ones(
    copies: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    told = as_json(["tiny", "esc50", copies("esc50").path], capsys)
    assert any("those of ESC-50 have 2000" in note for note in told["notes"])


def test_a_linear_probe(copies: Copies, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    words = ["tiny", "esc50", copies("esc50").path, "--protocol", "linear-probe", "--shots", "2"]
    told = as_json(words, capsys)
    assert [score["measure"] for score in told["scores"]] == ["top-1 k=2"]
    assert all(score["low"] <= score["value"] <= score["high"] for score in told["scores"])
    assert told["scores"][0]["value"] > 80
    assert main([*map(str, words[:-1]), "9"]) == 1
    assert "examples to learn from" in capsys.readouterr().err


def test_a_linear_probe_by_the_papers_recipe(copies: Copies, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["tiny", "esc50", copies("esc50").path, "--protocol", "linear-probe-adamw", "--shots", "2"]
    told = as_json(words, capsys)
    assert [score["protocol"] for score in told["scores"]] == ["linear-probe-adamw"]
    assert told["scores"][0]["value"] > 80


def test_own_weights(copies: Copies, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["tiny", "msrvtt", copies("msrvtt").path, "--weight", "video=1", "--weight", "audio=0.25"]
    told = as_json(words, capsys)
    assert told["scores"][0]["measure"] == "R@1 1 video + 0.25 audio"
    assert main([*map(str, words), "--weight", "depth=1"]) == 2
    assert "the items do not have it; they have video, audio" in capsys.readouterr().err
