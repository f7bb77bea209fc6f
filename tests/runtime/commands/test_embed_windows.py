"""``bind-embed --window --hop``: a row a window, with its start and end, in every output; resumed exactly."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt.commands.segment_writer import SegmentWriter
from bindrt.index import Index
from support import media
from support.commands import run_command
from support.embedding import PHOTO, Embed, table

OUTPUTS = ["out.parquet", "out.npz", "out.jsonl", "out.index"]
WINDOW = ("--window", "2", "--hop", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound of 6.5 s, a film of 4 s, a picture."""
    root = tmp_path / "media"
    root.mkdir()
    (root / "a.wav").write_bytes(media.sound_bytes("WAV", media.waveform(6.5)))
    media.write_video(root / "b.mp4", count=60, fps=15)
    shutil.copy(PHOTO, root / "c.webp")
    return root


def rows(output: Path) -> list[dict[str, Any]]:
    """The rows of an output of any form; what is not known is None."""
    if output.suffix == ".parquet":
        return table(output)
    if output.suffix == ".jsonl":
        lines = [json.loads(line) for line in output.read_text().splitlines()]
        return [{"start": None, "end": None, "notes": None, **line} for line in lines]
    if output.suffix == ".npz":
        with np.load(output) as archive:
            names = [name for name in archive.files if name != "space"]
            every = zip(*(archive[name].tolist() for name in names), strict=True)
            found = [dict(zip(names, values, strict=True)) for values in every]
        return [{n: None if v in ("", -1) or v != v else v for n, v in row.items()} for row in found]
    index = Index.load(output)
    every = zip(index.ids, index.modalities, index.vectors.tolist(), index.metadata, strict=True)
    return [
        {
            "source": i,
            "modality": m,
            "embedding": v,
            "start": d.get("start"),
            "end": d.get("end"),
            "error": None,
        }
        for i, m, v, d in every
    ]


def place(output: Path) -> tuple[str, Path]:
    return ("--index" if output.suffix == ".index" else "-o"), output


def spans(found: list[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    return [(row["start"], row["end"]) for row in found if row["source"].endswith(name)]


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_has_start_and_end(embed: Embed, folder: Path, tmp_path: Path, name: str) -> None:
    output = tmp_path / name
    done = embed(folder, "--text", "a bell", *WINDOW, *place(output), "--json")
    assert done.code == 0, done.err
    found = rows(output)
    assert done.summary["rows"] == len(found) == 6 + 3 + 1 + 1
    assert spans(found, "a.wav") == [(0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 6.5)]
    assert spans(found, "b.mp4") == [(0, 2), (1, 3), (2, 4)]
    assert spans(found, "c.webp") == spans(found, "a bell") == [(None, None)]
    with bindrt.load("tiny") as model:
        expected = list(model.windows(audio=folder / "a.wav", window=2.0, hop=1.0))
    vectors = [row["embedding"] for row in found if row["source"].endswith("a.wav")]
    np.testing.assert_allclose(vectors, [w["audio"] for w in expected], atol=1e-5)


def test_rows_on_standard_output(folder: Path) -> None:
    done = run_command("bind-embed", "tiny", folder / "b.mp4", *WINDOW)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["start"], row["end"]) for row in found] == [(0, 2), (1, 3), (2, 4)]
    assert found[0]["options"] == {"hop": "1", "window": "2"}
    assert [row.get("notes", {}).get("windows") for row in found] == [None, None, 3]


def test_the_sound_of_a_video_has_windows_of_its_own(embed: Embed, tmp_path: Path) -> None:
    film, output = media.write_video(tmp_path / "film.mkv", count=60, audio="aac"), tmp_path / "out.parquet"
    assert embed(film, *WINDOW, "-o", output).code == 0
    assert embed(film, *WINDOW, "-o", output, "--resume", "--modality", "audio").code == 0
    assert [row["modality"] for row in table(output)] == ["video"] * 3 + ["audio"] * 2
    assert embed(film, *WINDOW, "-o", output, "--resume", "--json").summary["rows"] == 0


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("written", [1, 4, 6, 8])
def test_a_killed_run_goes_on_exactly(
    embed: Embed, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, written: int
) -> None:
    whole, output = tmp_path / ("whole" + Path(name).suffix), tmp_path / name
    assert embed(folder, *WINDOW, *place(whole)).code == 0
    add, count = SegmentWriter.add, 0

    def until(writer: SegmentWriter, row: Any) -> None:
        nonlocal count
        if count == written:
            raise KeyboardInterrupt
        count += 1
        add(writer, row)

    with monkeypatch.context() as patch:
        patch.setattr(SegmentWriter, "add", until)
        assert embed(folder, *WINDOW, *place(output)).code == 130
    done = embed(folder, *WINDOW, *place(output), "--resume", "--json")
    assert done.code == 0, done.err
    assert done.summary["rows"] == 10 - written
    found, expected = rows(output), rows(whole)
    if output.suffix == ".index":  # it has the rows of each modality together
        found, expected = (
            sorted(part, key=lambda r: (r["source"], r["start"] or 0)) for part in (found, expected)
        )
    assert [(r["source"], r["start"], r["end"]) for r in found] == [
        (r["source"], r["start"], r["end"]) for r in expected
    ]
    np.testing.assert_allclose([r["embedding"] for r in found], [r["embedding"] for r in expected], atol=1e-5)
    assert embed(folder, *WINDOW, *place(output), "--resume", "--json").summary["rows"] == 0


def test_a_changed_recording_is_embedded_again(embed: Embed, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    assert embed(folder, *WINDOW, "-o", output).code == 0
    (folder / "a.wav").write_bytes(media.sound_bytes("WAV", media.waveform(3.0)))
    done = embed(folder, *WINDOW, "-o", output, "--resume", "--json")
    assert (done.summary["rows"], done.summary["changed"], done.summary["kept"]) == (2, 1, 4)
    assert sorted(spans(rows(output), "a.wav")) == [(0, 2), (1, 3)]
    os.utime(folder / "a.wav", ns=(1, 1))  # touched, with the same content
    assert embed(folder, *WINDOW, "-o", output, "--resume", "--json").summary["rows"] == 0
    (folder / "b.mp4").unlink()
    done = embed(folder, *WINDOW, "-o", output, "--resume", "--prune", "--json")
    assert done.summary["pruned"] == 3
    assert spans(rows(output), "b.mp4") == []


def test_other_windows_are_other_rows(embed: Embed, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    sound = folder / "a.wav"
    assert embed(sound, "-o", output).code == 0
    assert embed(sound, *WINDOW, "-o", output, "--resume", "--json").summary["rows"] == 6
    assert embed(sound, "--window", "3", "-o", output, "--resume", "--json").summary["rows"] == 4
    assert embed(sound, "-o", output, "--resume", "--json").summary["rows"] == 0
    assert spans(rows(output), "a.wav")[:2] == [(None, None), (0, 2)]


def test_a_cut_recording_has_its_windows_and_an_error(embed: Embed, folder: Path, tmp_path: Path) -> None:
    sound, output = folder / "a.wav", tmp_path / "out.parquet"
    whole = sound.read_bytes()
    sound.write_bytes(whole[: len(whole) // 2])
    stopped = embed(sound, *WINDOW, "-o", output)
    assert stopped.code == 1
    assert "truncated" in stopped.err
    done = embed(sound, *WINDOW, "-o", output, "--resume", "--on-error", "skip", "--json")
    assert done.code == 0, done.err
    found = table(output)
    assert [row["error"] is None for row in found] == [True] * 3 + [False]
    assert "truncated" in found[-1]["error"]
    assert found[-1]["start"] == found[-1]["end"] == found[-2]["end"]
    again = ("-o", output, "--resume", "--on-error", "skip", "--json")
    assert embed(sound, *WINDOW, *again).summary["rows"] == 0
    retried = embed(sound, *WINDOW, *again, "--retry-failed").summary
    assert (retried["retried"], retried["rows"], retried["failed"]) == (1, 1, 1)
    assert len(table(output)) == 4


def test_a_recording_that_is_missing(embed: Embed, tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    assert embed("none.wav", *WINDOW, "-o", output, "--on-error", "skip").code == 0
    (row,) = table(output)
    assert "no such file" in row["error"]
    done = embed("none.wav", *WINDOW, "-o", output, "--on-error", "skip", "--resume", "--json")
    assert done.summary["rows"] == 0


def test_an_output_of_an_earlier_version_is_added_to(embed: Embed, folder: Path, tmp_path: Path) -> None:
    """Its columns end before start and end; so do those of its segments."""
    output = tmp_path / "out.parquet"
    assert embed(folder / "c.webp", "-o", output).code == 0
    old = pq.read_table(output).drop_columns(["start", "end"])
    pq.write_table(old, output)
    assert len(bindrt.Embeddings.load(output).image) == 1
    assert embed(folder, *WINDOW, "-o", output, "--resume").code == 0
    assert len(table(output)) == 10
    assert spans(rows(output), "c.webp") == [(None, None)]


@pytest.mark.parametrize("name", ["out.parquet", "out.npz"])
def test_embeddings_know_the_seconds(embed: Embed, folder: Path, tmp_path: Path, name: str) -> None:
    output = tmp_path / name
    assert embed(folder, *WINDOW, "-o", output).code == 0
    found = bindrt.Embeddings.load(output)
    assert found.spans["audio", 5] == (5.0, 6.5)
    assert ("image", 0) not in found.spans
    again = tmp_path / ("again" + output.suffix)
    bindrt.Embeddings.concat([found, found]).save(again)
    assert bindrt.Embeddings.load(again).spans["audio", 11] == (5.0, 6.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hop", "1"), "add --window"),
        (("--window", "0"), "window=0"),
        (("--window", "2", "--hop", "0"), "hop=0"),
        (("--window", "2", "--isolate"), "isolated file by file"),
    ],
)
def test_wrong_usage(embed: Embed, folder: Path, arguments: tuple[str, ...], message: str) -> None:
    done = embed(folder, *arguments)
    assert done.code == 2
    assert message in done.err


def test_strict_and_parts_hold_for_windows(embed: Embed, folder: Path) -> None:
    found = embed(folder / "a.wav", "--start", "1", "--end", "4", *WINDOW).rows
    assert [(row["start"], row["end"]) for row in found] == [(1, 3), (2, 4)]
