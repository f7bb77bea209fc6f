"""``bind-search`` in recordings: where and when, neighbours as one place, and clips of them."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from first_files import write_all

from bindrt.index import Hit, Index, places, span_of
from support import media
from support.commands import run_command

RATE = 16000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A talk of 60 s: a car, but a bell from 20 to 26 s and from 40 to 43 s; a film of 8 s; a still."""
    folder = tmp_path_factory.mktemp("recordings")
    write_all(folder)
    bell, rate = soundfile.read(folder / "bell.wav", dtype="int16")
    car, _ = soundfile.read(folder / "car.wav", dtype="int16")
    talk = repeated(car, 60 * rate)
    for start, end in ((20, 26), (40, 43)):
        talk[start * rate : end * rate] = repeated(bell, (end - start) * rate)
    soundfile.write(folder / "talk.wav", talk, rate, subtype="PCM_16")
    media.write_video(folder / "film.mp4", count=120, fps=15, audio="aac")
    done = run_command(
        "bind-embed", "tiny", "talk.wav", "film.mp4", "bell.jpg", "--window", "2", "--hop", "1",
        "--index", "all.index", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def repeated(wave: np.ndarray, count: int) -> np.ndarray:
    return np.resize(wave, (count, *wave.shape[1:]))


def search(folder: Path, *arguments: object) -> list[dict[str, Any]]:
    done = run_command("bind-search", "all.index", *arguments, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_where_and_when(files: Path) -> None:
    first, second = search(files, "--audio", "bell.wav", "--only", "audio", "-k", "2")
    spans = sorted((hit["start"], hit["end"]) for hit in (first, second))
    assert {hit["id"] for hit in (first, second)} == {"talk.wav"}
    assert 18 <= spans[0][0] <= 21
    assert 25 <= spans[0][1] <= 28
    assert 38 <= spans[1][0] <= 41
    assert 42 <= spans[1][1] <= 45


def test_the_table_tells_the_time(files: Path) -> None:
    done = run_command(
        "bind-search", "all.index", "--audio", "bell.wav", "--only", "audio", "-k", "1", cwd=files
    )
    assert done.returncode == 0, done.stderr
    assert "talk.wav 0:" in done.stdout
    assert "\N{EN DASH}0:" in done.stdout


def test_windows_stay_apart_if_that_is_wanted(files: Path) -> None:
    found = search(files, "--audio", "bell.wav", "--only", "audio", "-k", "5", "--no-merge")
    assert len(found) == 5
    assert all(hit["end"] - hit["start"] <= 2 for hit in found)


def test_stills_are_found_as_before(files: Path) -> None:
    (hit,) = search(files, "--text", "a bell ringing", "--only", "image", "-k", "1")
    assert (hit["id"], "start" in hit) == ("bell.jpg", False)


def test_the_clip_of_a_sound_has_its_samples(files: Path, tmp_path: Path) -> None:
    found = search(files, "--audio", "bell.wav", "--only", "audio", "-k", "2", "--clip", tmp_path / "clips")
    whole, rate = soundfile.read(files / "talk.wav", dtype="int16")
    for rank, hit in enumerate(found, 1):
        clip = Path(hit["clip"])
        assert clip.name == f"{rank:02d}_talk_{hit['start']:g}-{hit['end']:g}s.wav"
        samples, clip_rate = soundfile.read(clip, dtype="int16")
        assert clip_rate == rate
        np.testing.assert_array_equal(samples, whole[round(hit["start"] * rate) : round(hit["end"] * rate)])


def test_the_clip_of_a_video_is_exactly_its_span(files: Path, tmp_path: Path) -> None:
    (hit,) = search(files, "--text", "a bell", "--only", "video", "-k", "1", "--no-merge", "--clip", tmp_path)
    start, end = hit["start"], hit["end"]
    pictures = media.decoded(Path(hit["clip"]))
    expected = media.decoded(files / "film.mp4")[round(start * 15) : round(end * 15)]
    assert len(pictures) == len(expected) == 30
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(pictures, expected, strict=True)) < 8
    with av.open(hit["clip"]) as made:
        assert float(made.streams.video[0].duration * made.streams.video[0].time_base) == pytest.approx(
            2.0, 0.02
        )
        heard = bool(made.streams.audio)
        assert heard == (start < 3.0)  # the sound track has 3 s


def test_stills_are_not_copied(files: Path, tmp_path: Path) -> None:
    (hit,) = search(files, "--text", "a bell", "--only", "image", "-k", "1", "--clip", tmp_path / "clips")
    assert "clip" not in hit
    assert list((tmp_path / "clips").iterdir()) == []


def test_the_clip_of_imu_samples(tmp_path: Path) -> None:
    samples, times = np.random.default_rng(0).normal(size=(6, 4000)), np.arange(4000) / 200
    np.savez(tmp_path / "walk.npz", samples=samples, t=times)
    done = run_command(
        "bind-embed", "tiny", "walk.npz", "--window", "5", "--index", "all.index", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    (hit,) = search(tmp_path, "--imu", "walk.npz", "-k", "1", "--no-merge", "--clip", "clips")
    with np.load(tmp_path / hit["clip"]) as clip:
        inside = (times >= hit["start"]) & (times < hit["end"])
        np.testing.assert_array_equal(clip["samples"], samples[:, inside])
        np.testing.assert_allclose(clip["t"], times[inside])


def test_a_recording_that_is_gone_costs_its_clip_alone(files: Path, tmp_path: Path) -> None:
    shutil.copytree(files / "all.index", tmp_path / "all.index")
    shutil.copy(files / "bell.wav", tmp_path)
    done = run_command(
        "bind-search", "all.index", "--audio", "bell.wav", "--only", "audio", "-k", "1",
        "--clip", "clips", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert "talk.wav" in done.stderr
    assert "no such file" in done.stderr
    assert json.loads(done.stdout.splitlines()[0])["id"] == "talk.wav"


def window(start: float, score: float, name: str = "a.wav") -> Hit:
    return Hit(name, score, "audio", {"start": start, "end": start + 2.0, "options": {}})


def test_places() -> None:
    hits = [
        window(10, 0.9), window(40, 0.8), window(13, 0.7), window(12, 0.6), Hit("b.jpg", 0.5, "image", {}),
        window(10, 0.4, "c.wav"), window(11, 0.3, "c.wav"), window(60, 0.2),
    ]  # fmt: skip
    assert [(hit.id, hit.score, span_of(hit)) for hit in places(hits, 4)] == [
        ("a.wav", 0.9, (10.0, 15.0)),  # 12 to 14 joins what lay apart
        ("a.wav", 0.8, (40.0, 42.0)),
        ("b.jpg", 0.5, None),
        ("c.wav", 0.4, (10.0, 13.0)),
    ]
    assert len(places(hits, 1)) == 1


def test_an_index_of_many_neighbours_still_gives_as_many_places_as_are_wanted(files: Path) -> None:
    found = search(files, "--audio", "car.wav", "--only", "audio", "-k", "3")
    index = Index.load(files / "all.index")
    assert 1 <= len(found) <= 3
    spans = sorted((hit["start"], hit["end"]) for hit in found)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))
    assert len(index) > 60
