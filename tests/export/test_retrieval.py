"""``--pairs``: what a precision costs in retrieval, on files that belong together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import bindrt
from bindrt_export.bundle.report import html
from bindrt_export.cli import main
from bindrt_export.exporter import run
from bindrt_export.request import EngineRequest, ExportRequest
from bindrt_export.terminal import SilentProgress
from bindrt_export.verification import retrieval
from support.bundles import TINY_CONFIG

SCENES = 6


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Pictures and IMU samples, and one of each that has no partner."""
    generator, folder = np.random.default_rng(0), tmp_path / "pairs"
    for modality in ("image", "imu"):
        (folder / modality).mkdir(parents=True)
    for i in range(SCENES):
        pixels = generator.integers(0, 255, (40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(folder / "image" / f"{i}.png")
        samples = generator.standard_normal((6, 2000))
        np.savez(folder / "imu" / f"{i}.imu.npz", samples=samples, rate=np.float64(400))
    Image.new("RGB", (8, 8)).save(folder / "image" / "alone.png")
    (folder / "imu" / ".hidden").write_bytes(b"")
    return folder


def export(output: Path, pairs: Path, **more: Any) -> dict[str, Any]:
    engines = EngineRequest(precisions=("fp32", "int8"), **more)
    request = ExportRequest("random:0", output, TINY_CONFIG, ["image", "imu"], engines, "fp32", pairs)
    return run(request, SilentProgress())


def test_report_says_what_the_bundles_vectors_find(
    tmp_path: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "MOST_POINTS", 100.0)  # random weights may lose anything
    report = export(tmp_path / "a.bind", pairs)
    items = retrieval.find_pairs(pairs, ["image", "imu"])
    expected = {}
    for precision in ("fp32", "int8"):
        with bindrt.load(tmp_path / "a.bind", precision=precision) as model:
            vectors = model.embed(**items)  # type: ignore[arg-type]
        products = vectors.imu @ vectors.image.T
        expected[precision] = float(np.mean(products.argmax(axis=1) == np.arange(SCENES)))
    rows = {(r["encoder"], r["precision"]): r for r in report["results"]}
    for precision, recall in expected.items():
        found = rows["imu", precision]["retrieval"]["imu"]
        assert found == {"to": "image", "pairs": SCENES, "recall": recall, "fp32": expected["fp32"]}
    assert rows["vision", "int8"]["retrieval"]["image"]["to"] == "imu"
    assert (
        json.loads((tmp_path / "a.bind" / "report.json").read_text("utf-8"))["results"] == report["results"]
    )
    assert f"imu→image {expected['int8']:.1%} (fp32 {expected['fp32']:.1%})" in html(report)


def test_loss_past_the_limit_fails_unless_allowed(
    tmp_path: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "MOST_POINTS", -1.0)  # fp32 itself loses 0 points
    with pytest.raises(bindrt.ExportError, match=r"finds its \w+ in .* of 6 pairs.*--allow"):
        export(tmp_path / "a.bind", pairs)
    assert not (tmp_path / "a.bind").exists()
    report = export(tmp_path / "a.bind", pairs, allow=True)
    assert not any(r["within_limit"] for r in report["results"])


def test_recall_counts_rows_that_find_their_own() -> None:
    image = np.eye(4, dtype=np.float32)
    audio = image[[0, 1, 3, 2]]
    assert retrieval.recalls({"image": image, "audio": audio}) == {
        "image": ("audio", 0.5),
        "audio": ("image", 0.5),
    }
    assert retrieval.recalls({"image": image}) == {}
    assert retrieval.Recall("image", 4, 0.5, 0.75).lost == 25


def test_texts_are_read_and_scenes_without_partner_left_out(tmp_path: Path, pairs: Path) -> None:
    (pairs / "text").mkdir()
    for i in (0, 3):
        (pairs / "text" / f"{i}.txt").write_text(f" scene {i}\n", "utf-8")
    items = retrieval.find_pairs(pairs, ["image", "text", "imu"])
    assert items["text"] == ["scene 0", "scene 3"]
    assert [Path(str(p)).name for p in items["imu"]] == ["0.imu.npz", "3.imu.npz"]
    (pairs / "text" / "3.txt").write_bytes(b"\xff")
    with pytest.raises(bindrt.OptionError, match="not UTF-8"):
        retrieval.find_pairs(pairs, ["image", "text"])


@pytest.mark.parametrize("modalities", [["image"], ["image", "depth"], []])
def test_too_few_pairs_are_refused(pairs: Path, modalities: list[str]) -> None:
    with pytest.raises(bindrt.OptionError, match=r"scenes in \d modalities.*same names"):
        retrieval.find_pairs(pairs, modalities)


def test_command_refuses_pairs_without_float32(pairs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["random:0", "-o", "a.bind", "--precision", "int8", "--pairs", str(pairs)])
    assert status == 2
    assert "add --precision fp32" in capsys.readouterr().err
    assert main(["random:0", "-o", "a.bind", "--pairs", str(pairs / "none")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_a_damaged_file_is_named(tmp_path: Path, pairs: Path) -> None:
    (pairs / "image" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(bindrt.OptionError, match=r"--pairs: image\[2\]"):
        export(tmp_path / "a.bind", pairs)
