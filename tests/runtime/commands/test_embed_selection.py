"""Which files are embedded, and as what: rules, patterns, parts of the inputs, manifests."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt.commands.rules import Shard, matches, parse_rule, parse_shard
from bindrt.errors import OptionError
from support.embedding import DEPTH, FILM, PHOTO, SOUND, THERMAL, Embed, near


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder in which images, depth maps and thermal frames all are PNG files."""
    root = tmp_path / "recordings"
    for name, source in (
        ("a/1.depth.png", DEPTH), ("a/1.thermal.png", THERMAL), ("a/1.webp", PHOTO), ("b/2.wav", SOUND),
        ("b/2.mp4", FILM), ("b/2.WEBP", PHOTO),
    ):  # fmt: skip
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / name)
    return root


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [Path(row["source"]).name for row in rows]


def test_rules_say_what_files_are(embed: Embed, recordings: Path) -> None:
    done = embed(
        recordings,
        *("--rule", "*.depth.png=depth,unit=mm,model-scale=4", "--rule", "a/*.png=thermal,percentiles=1,99"),
        *("--rule", "*.png=image"),
    )
    assert done.code == 0, done.err
    kinds = {Path(row["source"]).name: row["modality"] for row in done.rows}
    assert kinds == {
        "1.depth.png": "depth", "1.thermal.png": "thermal", "1.webp": "image", "2.WEBP": "image",
        "2.wav": "audio",
        "2.mp4": "video",
    }  # fmt: skip
    model = bindrt.load("tiny")
    found = {Path(row["source"]).name: row for row in done.rows}
    depth = bindrt.Depth(DEPTH, unit="mm", model_scale=4)
    assert near(found["1.depth.png"], model.embed(depth=depth).depth[0])
    thermal = bindrt.Thermal(THERMAL, percentiles=(1, 99))
    assert near(found["1.thermal.png"], model.embed(thermal=thermal).thermal[0])


def test_a_rule_wins_over_the_options_of_all(embed: Embed, recordings: Path) -> None:
    done = embed(recordings / "a/1.depth.png", "--unit", "m", "--rule", "*.depth.png=depth,unit=mm")
    expected = bindrt.load("tiny").embed(depth=bindrt.Depth(DEPTH, unit="mm")).depth[0]
    assert near(done.rows[0], expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("*.png", "not GLOB=MODALITY, with one of image, video, audio"),
        ("*.png=map", "not GLOB=MODALITY"),
        ("*.txt=text", "not GLOB=MODALITY"),
        ("*.png=depth,low=1", "depth has no option 'low'; it has "),
        ("*.png=depth,unit=inch", "unit is 'inch'; it is one of m"),
        ("*.png=depth,mm", "'mm' is not NAME=VALUE"),
    ],
)
def test_wrong_rules_are_refused(embed: Embed, text: str, message: str) -> None:
    done = embed(PHOTO, "--rule", text)
    assert done.code == 2
    assert f"--rule {text}: {message}" in done.err


def test_a_rule_with_an_equals_sign_in_its_pattern() -> None:
    assert parse_rule("run=3/*.png=depth").pattern == "run=3/*.png"


def test_patterns_of_names(embed: Embed, recordings: Path) -> None:
    assert names(embed(recordings, "--include", "*.webp").rows) == ["1.webp", "2.WEBP"]
    assert names(embed(recordings, "--include", "b/*").rows) == ["2.WEBP", "2.mp4", "2.wav"]
    assert names(embed(recordings, "--exclude", "*.png", "--exclude", "b/*").rows) == ["1.webp"]
    done = embed(recordings, "--include", "*.mp4", "--text", "a dog")
    assert names(done.rows) == ["2.mp4", "a dog"]
    assert matches("a/b/c.png", "a/*.png")
    assert not matches("b/a.png", "a/*.png")


@pytest.mark.parametrize("indexes", [(1, 2, 3), (0, 1, 2)], ids=["from one", "from zero"])
def test_shards_are_all_inputs_once(embed: Embed, recordings: Path, indexes: tuple[int, ...]) -> None:
    texts = [word for i in range(20) for word in ("--text", f"text {i}")]
    arguments = (recordings, "--rule", "*.png=image", *texts)
    parts = [[row["source"] for row in embed(*arguments, "--shard", f"{i}/3").rows] for i in indexes]
    whole = [row["source"] for row in embed(*arguments).rows]
    assert sorted(source for part in parts for source in part) == sorted(whole)
    assert all(parts)


def test_a_file_is_in_the_same_shard_wherever_its_folder_is() -> None:
    assert [Shard(i, 5).has("a/b.jpg") for i in range(5)].count(True) == 1
    for text in ("4/3", "a/3", "1", "1/0", "-1/3"):
        with pytest.raises(OptionError, match="not a part of the inputs"):
            parse_shard(text)


ROWS = [
    {"source": "a/1.depth.png", "modality": "depth", "unit": "mm"},
    {"source": "a/1.thermal.png", "modality": "thermal", "low": "10", "high": "200"},
    {"source": "b/2.wav"},
    {"source": "a dog", "modality": "text", "label": "dog"},
]


def write_manifest(path: Path, rows: list[dict[str, Any]]) -> Path:
    columns = sorted({name for row in rows for name in row})
    if path.suffix == ".csv":
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    else:
        pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in columns}), path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_manifest_has_a_modality_and_options_a_row(embed: Embed, recordings: Path, suffix: str) -> None:
    manifest = write_manifest(recordings / f"list{suffix}", ROWS)
    done = embed("--manifest", manifest, "--json")
    assert done.code == 0, done.err
    assert [(row["source"], row["modality"]) for row in done.rows] == [
        ("a/1.depth.png", "depth"), ("a/1.thermal.png", "thermal"), ("b/2.wav", "audio"), ("a dog", "text"),
    ]  # fmt: skip
    assert done.rows[1]["options"] == {"low": "10", "high": "200"}
    thermal = bindrt.Thermal(THERMAL, low=10, high=200)
    assert near(done.rows[1], bindrt.load("tiny").embed(thermal=thermal).thermal[0])
    assert json.loads(done.err)["rows"] == 4


def test_numbers_in_a_manifest_may_be_numbers(embed: Embed, recordings: Path) -> None:
    nothing = float("nan")
    rows = [{"path": str(THERMAL), "modality": "thermal", "low": 10.0, "high": 200.0},
            {"path": str(PHOTO), "modality": None, "low": nothing, "high": nothing}]  # fmt: skip
    done = embed("--manifest", write_manifest(recordings / "list.parquet", rows))
    assert [row["modality"] for row in done.rows] == ["thermal", "image"]


def test_rows_of_one_file_with_other_options_are_resumed_apart(embed: Embed, tmp_path: Path) -> None:
    rows = [{"source": str(THERMAL), "modality": "thermal", "low": 0, "high": high} for high in (100, 200)]
    output = tmp_path / "out.jsonl"
    assert embed("--manifest", write_manifest(tmp_path / "a.jsonl", rows[:1]), "-o", output).code == 0
    done = embed("--manifest", write_manifest(tmp_path / "b.jsonl", rows), "-o", output, "--resume", "--json")
    assert done.summary["rows"] == 1
    assert done.summary["kept"] == 1
    first, second = (json.loads(line)["embedding"] for line in output.read_text().splitlines())
    assert np.abs(np.subtract(first, second)).max() > 1e-4


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("a.txt", b"", 2, "unknown suffix '.txt'"),
        ("missing.csv", None, 1, "cannot be read"),
        ("a.csv", b"image\nx.jpg\n", 1, "row 1: it names no file (columns: image)"),
        ("a.csv", b"source,modality\nx.jpg,map\n", 1, "'map' is not a modality"),
        ("a.jsonl", b'{"source": "x.jpg"}\n[1]\n', 1, "line 2 is not a JSON object"),
        ("a.jsonl", b"[" * 100_000, 1, "cannot be read"),
        ("a.jsonl", b'{"source": 3}', 1, "it names no file"),
        ("a.parquet", b"PAR1", 1, "cannot be read"),
    ],
)
def test_damaged_manifests_are_named(
    embed: Embed, tmp_path: Path, name: str, content: bytes | None, code: int, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    done = embed("--manifest", path, "-o", tmp_path / "out.parquet")
    assert done.code == code
    assert name in done.err
    assert message in done.err
    assert not (tmp_path / "out.parquet").exists()


def test_engine_options_reach_the_engine(embed: Embed) -> None:
    assert (
        embed(
            PHOTO, "--engine", "onnxruntime", "--device", "cpu", "--precision", "fp32", "--threads", "1"
        ).code
        == 0
    )
    assert "--engine" not in embed(PHOTO, "--engine", "onnxruntime").err
    for option, value in (
        ("--engine", "none"),
        ("--precision", "fp3"),
        ("--device", "moon"),
        ("--threads", "0"),
    ):
        done = embed(PHOTO, option, value)
        assert done.code in (1, 2)
        assert value in done.err


def test_a_rule_that_no_file_fits_is_told(embed: Embed, recordings: Path) -> None:
    done = embed(recordings, "--rule", "*.dept.png=depth", "--rule", "*.png=image", "--include", "*.png")
    assert "no file fits the rule '*.dept.png'" in done.err
    assert "*.png'" not in done.err.replace("*.dept.png'", "")


@pytest.mark.parametrize("place", ["-o", "--index"])
def test_an_output_among_its_inputs_is_no_input(embed: Embed, recordings: Path, place: str) -> None:
    inputs = (recordings, "--include", "b/*", "--include", "*.parquet*", "--include", "*.index*")
    output = recordings / ("all.parquet" if place == "-o" else "all.index")
    assert embed(*inputs, place, output, "--json").summary["rows"] == 3
    done = embed(*inputs, place, output, "--resume", "--json")
    assert (done.code, done.summary["rows"], done.summary["passed_over"]) == (0, 0, {})
