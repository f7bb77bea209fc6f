"""``bind-embed run.mcap``: a row for each window of each topic, in every output; resumed as a whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.recordings import Recording
from bindrt.recordings.embedding import embed_recording
from support import media
from support.embedding import Embed, table
from support.recordings import BEGIN, SECOND, Said, make, write_bag1, write_mcap, write_run

RATE, HERTZ = 16000, 100
START = BEGIN / SECOND


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Sound and motion of 6.5 s."""
    t = np.arange(int(6.5 * HERTZ)) / HERTZ
    motion = np.stack([np.sin((1 + i) * t) for i in range(6)])
    return write_run(tmp_path / "run.mcap", media.waveform(6.5, 1, RATE)[0], RATE, motion, HERTZ)


def notes(row: dict[str, Any]) -> dict[str, Any]:
    return json.loads(row["notes"]) if isinstance(row["notes"], str) else row["notes"]


def test_a_row_a_window(run: Path, embed: Embed, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    done = embed(run, "-o", out)
    assert done.code == 0, done.err
    rows = table(out)
    assert [row["modality"] for row in rows].count("audio") == 5
    assert [row["modality"] for row in rows].count("imu") == 2
    assert {(row["source"], row["error"]) for row in rows} == {(str(run), None)}
    assert {(row["modality"], notes(row)["topic"]) for row in rows} == {("audio", "/mic"), ("imu", "/imu")}
    assert [notes(row).get("windows") for row in rows] == [None] * 6 + [7]
    with bindrt.load("tiny") as model, Recording(run) as recording:
        for row, window in zip(rows, embed_recording(model, recording), strict=True):
            assert (row["start"], row["end"]) == (window.start, window.end)
            np.testing.assert_allclose(row["embedding"], window.vector, atol=1e-5)
    assert rows[0]["start"] == pytest.approx(START, abs=1e-3)


def test_windows_modalities_and_lines(run: Path, embed: Embed) -> None:
    done = embed(run, "--window", "1", "--hop", "0.5", "--modality", "audio")
    assert done.code == 0, done.err
    assert {row["modality"] for row in done.rows} == {"audio"}
    np.testing.assert_allclose([row["start"] - START for row in done.rows], np.arange(12) / 2, atol=1e-3)
    assert {json.dumps(row["options"]) for row in done.rows} == {'{"hop": "0.5", "window": "1"}'}


def test_resume(run: Path, embed: Embed, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert embed(run, "-o", out).code == 0
    before = table(out)
    again = embed(run, "-o", out, "--resume", "--json")
    assert (again.code, table(out)) == (0, before)
    assert again.summary["rows"] == 0
    # A recording that has changed is embedded anew, as a whole.
    wave = media.waveform(4.0, 1, RATE)[0]
    write_run(run, wave, RATE, np.zeros((6, 10)), HERTZ)
    os.utime(run, (1, 1))
    assert embed(run, "-o", out, "--resume").code == 0
    assert [row["modality"] for row in table(out)] == ["audio"] * 3


def test_beside_other_inputs_and_in_folders(run: Path, embed: Embed, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    run.rename(folder / "run.mcap")
    (folder / "a.wav").write_bytes(media.sound_bytes("WAV"))
    said = [Said("/mood", BEGIN, make("robot_msgs/msg/Mood", 1))]
    write_bag1(folder / "empty.bag", said)
    out = tmp_path / "out.parquet"
    done = embed(folder, "--on-error", "skip", "-o", out, "--json")
    assert done.code == 0, done.err
    rows = table(out)
    errors = {Path(row["source"]).name: row["error"] for row in rows if row["error"]}
    assert list(errors) == ["empty.bag"]
    assert "/mood: 1 message of type robot_msgs/Mood was passed over" in errors["empty.bag"]
    assert [Path(row["source"]).name for row in rows if not row["error"]] == ["a.wav"] + ["run.mcap"] * 7
    # The failure is kept, until it is to be tried again.
    again = embed(folder, "--on-error", "skip", "-o", out, "--resume", "--json")
    assert again.summary["rows"] == 0
    again = embed(folder, "--on-error", "skip", "-o", out, "--resume", "--retry-failed", "--json")
    assert again.summary["rows"] == 1
    assert len(table(out)) == len(rows)


def test_what_was_not_read_is_said(run: Path, embed: Embed, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(run.read_bytes()[: run.stat().st_size * 2 // 3])
    done = embed(cut, "-o", tmp_path / "out.parquet", "--json")
    assert done.code == 3
    assert "it was read up to there" in done.err
    assert done.summary["damaged_recordings"] == 1
    lines = embed(cut)
    assert lines.code == 3
    assert f"bind-embed: {len(lines.rows)} rows in" in lines.err
    assert ", 1 recording with parts that cannot be read" in lines.err
    strict = embed(cut, "--strict")
    assert strict.code == 1
    assert "it was read up to there" in strict.err.splitlines()[-1]


def test_without_a_topic_it_is_an_error(embed: Embed, tmp_path: Path) -> None:
    path = write_mcap(tmp_path / "r.mcap", [Said("/imu", BEGIN, make("sensor_msgs/msg/Imu"))])
    done = embed(path)
    assert done.code == 1
    assert "no topic of it has a window" in done.err
