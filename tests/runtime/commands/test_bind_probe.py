"""``bind-probe`` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt.commands.probe import main
from support.datasets.scenes import NAMES, scenes
from tiny.world import thermal_frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of three kinds, four of each, in a folder for each kind."""
    root = tmp_path_factory.mktemp("kinds")
    for at, (scene, kind) in enumerate(scenes(3, 4)):
        (root / NAMES[kind]).mkdir(exist_ok=True)
        PIL.Image.fromarray(thermal_frame(scene)).save(root / NAMES[kind] / f"{at:02d}.png")
    return root


def test_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    out = tmp_path / "kinds.probe"
    assert main(["tiny", str(folder), "--modality", "thermal", "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["labels"], told["examples"], told["modality"]) == (["ball", "bird", "car"], 12, "thermal")
    assert told["low"] <= told["right"] <= told["high"]
    with bindrt.load("tiny", modalities=["thermal"]) as model:
        assert bindrt.Probe.load(out).space == model.space
        frame = str(next((folder / "car").iterdir()))
        assert bindrt.Probe.load(out).labels[model.classify(probe=out, thermal=frame).argmax()] == "car"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_table(
    suffix: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    rows = [
        {"file": str(p.relative_to(folder)), "kind": p.parent.name} for p in sorted(folder.rglob("*.png"))
    ]
    table = folder / f"table{suffix}"
    if suffix == ".csv":
        table.write_text("file,kind\n" + "".join(f"{r['file']},{r['kind']}\n" for r in rows), "utf-8")
    elif suffix == ".jsonl":
        table.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), table)
    names = ["--path-column", "file", "--label-column", "kind", "--modality", "thermal"]
    assert main(["tiny", str(table), *names]) == 0
    shown = capsys.readouterr().out
    assert "3 labels from 12 examples of thermal" in shown
    assert "% right" in shown
    assert bindrt.Probe.load("tiny.table.probe").labels == ("ball", "bird", "car")
    table.unlink()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none", None, "it does not exist"),
        ("a.txt", "x", "no table that is known"),
        ("a.csv", "path,kind\nx.png,ball\n", "a row has no path or label"),
        ("a.csv", "path,label\n", "it has no examples"),
        ("a.jsonl", "[1]\n", "a row has no path or label"),
        ("a.jsonl", "{\n", "it cannot be read"),
        ("a.parquet", "PAR1", "it cannot be read"),
        ("a.csv", "path,label\nnone.png,ball\n", "none.png"),
    ],
)
def test_what_is_wrong_is_told(
    name: str, text: str | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text, "utf-8")
    assert main(["tiny", str(path), "--modality", "thermal"]) == 1
    assert message in capsys.readouterr().err
