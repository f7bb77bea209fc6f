"""``bind-embed`` as a user runs it: inputs, formats, broken-off runs, messages."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt.commands.lines import read_lines
from support.bundles import export_tiny
from support.commands import command, run_command
from support.golden import HERE

INPUTS = HERE / "inputs"
PHOTO, SOUND, VIDEO = (
    INPUTS / "image/photo.webp",
    INPUTS / "audio/short_8k.wav",
    INPUTS / "video/short_1s2.mp4",
)
#: Another batch size may sum in another order; of unit vectors.
BOUND = 2e-6

Rows = list[dict[str, Any]]


def read(path: Path) -> Rows:
    """An output of any format as rows with ``source``, ``modality``, ``error``, ``embedding``."""
    if path.suffix == ".parquet":
        rows: Rows = pq.read_table(path).to_pylist()
        return rows
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    with np.load(path, allow_pickle=False) as archive:
        names = ("source", "modality", "error", "embedding")
        columns = [archive[name].tolist() for name in names]
        found = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    for row in found:
        row["error"] = row["error"] or None
        row["embedding"] = None if row["error"] else row["embedding"]
    return found


def same_vector(row: Mapping[str, Any], model: bindrt.Model, modality: str, item: object) -> bool:
    expected = model.embed(**{modality: item})[modality][0]  # type: ignore[arg-type]
    assert row["modality"] == modality
    return bool(np.abs(np.array(row["embedding"]) - expected).max() <= BOUND)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Media in nested folders, among files that are none."""
    root = tmp_path / "media"
    for name, source in (("b/photo", PHOTO), ("a.wrong-suffix", SOUND), ("b/c/film.mp4", VIDEO)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / name)
    (root / "notes.txt").write_text("no media")
    (root / ".hidden.webp").write_bytes(PHOTO.read_bytes())
    (root / "b" / "line\nbreak.webp").write_bytes(PHOTO.read_bytes())
    return root


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".jsonl"])
def test_folder_and_texts_to_every_format(
    small_bundle: Path, small_model: bindrt.Model, folder: Path, tmp_path: Path, suffix: str
) -> None:
    output = tmp_path / f"out{suffix}"
    done = run_command(
        "bind-embed", small_bundle, folder, "--text", "a dog", "--text", "ein Hund", "-o", output
    )
    assert done.returncode == 0, done.stderr
    rows = read(output)
    names = ["a.wrong-suffix", "b/line\nbreak.webp", "b/photo", "b/c/film.mp4"]
    assert [r["source"] for r in rows] == [*(str(folder / n) for n in names), "a dog", "ein Hund"]
    assert [r["modality"] for r in rows] == ["audio", "image", "image", "video", "text", "text"]
    assert not any(r["error"] for r in rows)
    for row, item in zip(rows, [SOUND, PHOTO, PHOTO, VIDEO, "a dog", "ein Hund"], strict=True):
        assert same_vector(row, small_model, row["modality"], item), row["source"]
    assert "1 file passed over" in done.stderr
    assert not (tmp_path / f"out{suffix}.parts").exists()


def test_parquet_carries_the_space_and_fixed_size_lists(
    small_bundle: Path, small_model: bindrt.Model, tmp_path: Path
) -> None:
    output = tmp_path / "out.parquet"
    assert run_command("bind-embed", small_bundle, "--text", "a", "-o", output).returncode == 0
    schema = pq.read_schema(output)
    assert schema.names[:4] == ["source", "modality", "error", "embedding"]
    assert str(schema.field("embedding").type) == "fixed_size_list<element: float>[48]"
    assert schema.metadata[b"bindrt.space"].decode() == small_model.space


def test_standard_input_to_standard_output(small_bundle: Path, small_model: bindrt.Model) -> None:
    done = subprocess.run(
        command("bind-embed", small_bundle, "-"),
        input=f"{PHOTO}\n\n{SOUND}\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["source"] for r in rows] == [str(PHOTO), str(SOUND)]
    assert all(r["space"] == small_model.space for r in rows)
    assert same_vector(rows[0], small_model, "image", PHOTO)
    assert same_vector(rows[1], small_model, "audio", SOUND)


def test_rows_come_while_the_list_goes_on(small_bundle: Path) -> None:
    process = subprocess.Popen(
        command("bind-embed", small_bundle, "-", "--modality", "text"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for line in ("a", "b\nc", "", "d"):
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        for text in line.split():
            assert json.loads(process.stdout.readline())["source"] == text
    process.stdin.close()
    assert process.wait(60) == 0


@pytest.mark.parametrize(
    "pieces", [[b"a\nb"], [b"a", b"\nb\n"], [b"\xff\r\n", b"\n\n"], [], [b"x" * 70_000 + b"\n"]]
)
def test_lines_however_they_come(pieces: list[bytes]) -> None:
    reading, writing = os.pipe()
    lines = read_lines(reading)
    assert next(lines) is None  # nothing yet
    writer = threading.Thread(
        target=lambda: ([os.write(writing, piece) for piece in pieces], os.close(writing))
    )
    writer.start()
    found = [line for line in lines if line]
    writer.join()
    os.close(reading)
    expected = b"".join(pieces).decode("utf-8", "surrogateescape").split("\n")
    assert found == [line for line in expected if line]


@pytest.mark.parametrize(
    ("modality", "name", "options"),
    [
        ("depth", "depth/d2.png", ("--unit", "mm")),
        ("depth", "depth/d2.png", ("--unit", "sunrgbd")),
        ("thermal", "thermal/t2.png", ()),
        ("imu", "imu/s2.npz", ()),
    ],
)
def test_modality_and_unit(
    small_bundle: Path, small_model: bindrt.Model, modality: str, name: str, options: tuple[str, ...]
) -> None:
    path = INPUTS / name
    done = run_command("bind-embed", small_bundle, path, "--modality", modality, *options)
    assert done.returncode == 0, done.stderr
    item: object = bindrt.Depth(path, unit=options[1]) if options else path  # type: ignore[arg-type]
    assert same_vector(json.loads(done.stdout), small_model, modality, item)


def test_archive_with_a_named_field_needs_no_modality(
    small_bundle: Path, small_model: bindrt.Model, tmp_path: Path
) -> None:
    shutil.copy(INPUTS / "imu/s2.npz", tmp_path)
    done = run_command("bind-embed", small_bundle, tmp_path)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["modality"] == "imu"
    assert same_vector(row, small_model, "imu", INPUTS / "imu/s2.npz")


def test_film_without_sound_as_audio(small_bundle: Path) -> None:
    done = run_command("bind-embed", small_bundle, VIDEO, "--modality", "audio")
    assert done.returncode == 1
    assert "sound" in done.stderr


def test_bad_files_are_recorded(small_bundle: Path, small_model: bindrt.Model, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(PHOTO.read_bytes()[:200])
    output = tmp_path / "out.parquet"
    done = run_command(
        "bind-embed", small_bundle, PHOTO, bad, "missing.wav", SOUND, "-o", output, "--on-error", "skip"
    )
    assert done.returncode == 0, done.stderr
    rows = read(output)
    assert [r["source"] for r in rows] == [str(PHOTO), str(bad), "missing.wav", str(SOUND)]
    assert [r["embedding"] is None for r in rows] == [False, True, True, False]
    assert "bad.jpg" in rows[1]["error"]
    assert "no such file" in rows[2]["error"]
    assert same_vector(rows[0], small_model, "image", PHOTO)
    assert same_vector(rows[3], small_model, "audio", SOUND)
    assert "2 failed" in done.stderr


def test_first_bad_file_stops_and_resume_goes_on(small_bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    inputs = (PHOTO, "missing.wav", SOUND, "--text", "a")
    done = run_command("bind-embed", small_bundle, *inputs, "-o", output)
    assert done.returncode == 1
    assert "missing.wav" in done.stderr
    assert not output.exists()
    refused = run_command("bind-embed", small_bundle, *inputs, "-o", output)
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    done = run_command("bind-embed", small_bundle, *inputs, "-o", output, "--resume", "--on-error", "skip")
    assert done.returncode == 0, done.stderr
    assert [r["source"] for r in read(output)] == [str(PHOTO), "missing.wav", str(SOUND), "a"]


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".jsonl"])
def test_resume_adds_to_a_finished_output(
    small_bundle: Path, small_model: bindrt.Model, tmp_path: Path, suffix: str
) -> None:
    output = tmp_path / f"out{suffix}"
    assert run_command("bind-embed", small_bundle, PHOTO, "--text", "a", "-o", output).returncode == 0
    refused = run_command("bind-embed", small_bundle, SOUND, "-o", output)
    assert refused.returncode == 2
    assert "it exists" in refused.stderr
    done = run_command("bind-embed", small_bundle, PHOTO, SOUND, "--text", "a", "-o", output, "--resume")
    assert done.returncode == 0, done.stderr
    assert "2 kept from before" in done.stderr
    rows = read(output)
    assert Counter(r["source"] for r in rows) == Counter([str(PHOTO), "a", str(SOUND)])
    assert same_vector(next(r for r in rows if r["source"] == str(SOUND)), small_model, "audio", SOUND)
    assert same_vector(next(r for r in rows if r["source"] == str(PHOTO)), small_model, "image", PHOTO)


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".jsonl"])
def test_other_spaces_are_refused(imu_bundle: Path, tmp_path: Path, suffix: str) -> None:
    other = export_tiny(tmp_path / "other.bind", ["imu"], seed=1)
    output = tmp_path / f"out{suffix}"
    sample = INPUTS / "imu/s2.npz"
    arguments = (sample, "--modality", "imu", "-o", output)
    assert run_command("bind-embed", imu_bundle, *arguments).returncode == 0
    before = output.read_bytes()
    done = run_command("bind-embed", other, *arguments, "--resume")
    assert done.returncode == 1
    assert bindrt.load(imu_bundle).space in done.stderr
    assert bindrt.load(other).space in done.stderr
    assert output.read_bytes() == before


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".jsonl"])
def test_damaged_output_is_named(small_bundle: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out{suffix}"
    output.write_bytes(b"damaged")
    done = run_command("bind-embed", small_bundle, "--text", "a", "-o", output, "--resume")
    assert done.returncode == 1
    assert output.name in done.stderr
    assert output.read_bytes() == b"damaged"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_stopped_run_keeps_its_segments(
    small_bundle: Path, small_model: bindrt.Model, tmp_path: Path, stop: signal.Signals
) -> None:
    """600 texts are a segment and a bit; the process is stopped while it waits for more of the list."""
    output = tmp_path / "out.parquet"
    parts = tmp_path / "out.parquet.parts"
    texts = [f"text number {i}" for i in range(600)]
    process = subprocess.Popen(
        command("bind-embed", small_bundle, "-", "--modality", "text", "-o", output),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write("".join(f"{t}\n" for t in texts))
    process.stdin.flush()
    while not list(parts.glob("[0-9]*.parquet")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(stop)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == (130 if stop == signal.SIGINT else -9)
    assert "Traceback" not in messages
    if stop == signal.SIGINT:
        assert "--resume" in messages
    kept = sum(pq.read_metadata(p).num_rows for p in parts.glob("[0-9]*.parquet"))
    assert 0 < kept <= len(texts)
    assert not output.exists()
    done = subprocess.run(
        command("bind-embed", small_bundle, "-", "--modality", "text", "-o", output, "--resume"),
        input="".join(f"{t}\n" for t in [*texts, "one more"]),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    rows = read(output)
    assert [r["source"] for r in rows] == [*texts, "one more"]
    for i in (0, 511, 512, 599, 600):
        assert same_vector(rows[i], small_model, "text", rows[i]["source"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "nothing to embed"),
        (("x.jpg", "-o", "out.csv"), 2, "unknown suffix"),
        (("x.jpg", "--unit", "mm"), 2, "only depth"),
        (("x.jpg", "--modality", "text"), 2, "files are not read as texts"),
        (("--text", "a", "--resume"), 2, "add -o"),
        (("missing.jpg",), 1, "missing.jpg"),
        (("--text", "a", "-o", "/proc/none/out.parquet"), 1, "/proc/none"),
    ],
)
def test_wrong_usage(small_bundle: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = run_command("bind-embed", small_bundle, *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr


def test_what_is_no_bundle(tmp_path: Path) -> None:
    for bundle in (tmp_path, tmp_path / "missing.bind"):
        done = run_command("bind-embed", bundle, "--text", "a")
        assert done.returncode == 1
        assert str(bundle) in done.stderr


def test_named_file_that_is_no_media(small_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no media")
    done = run_command("bind-embed", small_bundle, path)
    assert done.returncode == 1
    assert "--modality" in done.stderr


def test_empty_folder_gives_an_empty_output(small_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for suffix in (".parquet", ".npz", ".jsonl"):
        output = tmp_path / f"out{suffix}"
        done = run_command("bind-embed", small_bundle, tmp_path / "empty", "-o", output)
        assert done.returncode == 0, done.stderr
        assert read(output) == []


def test_name_that_is_not_utf8(small_bundle: Path, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "media")
    os.mkdir(folder)
    with open(folder + b"/\xff.webp", "wb") as file:
        file.write(PHOTO.read_bytes())
    output = tmp_path / "out.parquet"
    for _ in range(2):
        done = run_command("bind-embed", small_bundle, tmp_path / "media", "-o", output, "--resume")
        assert done.returncode == 0, done.stderr
        (row,) = read(output)
        assert row["error"] is None
        assert row["source"].endswith("\\xff.webp")
    listed = subprocess.run(
        command("bind-embed", small_bundle, "-"),
        input=folder + b"/\xff.webp\n",
        capture_output=True,
        timeout=120,
    )
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)["embedding"] == row["embedding"]


def test_reader_that_goes_away(small_bundle: Path) -> None:
    """``bind-embed … | head -1``"""
    process = subprocess.Popen(
        command("bind-embed", small_bundle, *(["--text", "a"] * 3000)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["source"] == "a"
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait(60) != 0
