"""``Model.windows``: vectors of long files, window by window, equal to those of the same seconds cut out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support import media

CLOSE = 1e-4  # of a vector's values; the tolerance of golden data is 2e-4


@pytest.fixture(scope="module")
def model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny") as loaded:
        yield loaded


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "talk.wav"
    path.write_bytes(media.sound_bytes("WAV", media.waveform(7.3)))
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6 s of pictures, 3 s of sound."""
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    return media.write_video(path, count=90, fps=15, audio="aac")


def spans(windows: list[bindrt.Window]) -> list[tuple[float, float]]:
    return [(w.start, w.end) for w in windows]


def test_sound(model: bindrt.Model, sound: Path) -> None:
    found = list(model.windows(audio=sound, window=2.0, hop=1.0))
    assert spans(found) == [(n, n + 2.0) for n in range(6)] + [(6.0, pytest.approx(7.3, abs=1e-4))]
    assert [w.number for w in found] == list(range(7))
    assert [dict(w.notes) for w in found[:-1]] == [{}] * 6
    assert found[-1].notes["audio"] == {"short_window": 1.3}
    cuts = [bindrt.Audio(sound, start=w.start, end=w.end) for w in found]
    expected = model.embed(audio=cuts).audio
    np.testing.assert_allclose([w["audio"] for w in found], expected, atol=CLOSE)


@pytest.mark.parametrize(
    ("window", "hop", "rate"), [(0.5, 0.21, 22050), (5.0, 2.5, 44100), (1.0, None, 8000)]
)
def test_sound_of_other_windows(model: bindrt.Model, window: float, hop: float | None, rate: int) -> None:
    wave = media.waveform(7.3, 2, rate)
    item = bindrt.Audio(wave, rate=rate)
    found = list(model.windows(audio=item, window=window, hop=hop))
    step = window / 2 if hop is None else hop
    assert found[1].start == pytest.approx(step)
    cuts = [wave[:, round(w.start * rate) : round(w.end * rate)] for w in found]
    expected = model.embed(audio=[bindrt.Audio(cut, rate=rate) for cut in cuts]).audio
    np.testing.assert_allclose([w["audio"] for w in found], expected, atol=CLOSE)


def test_video_and_its_sound_on_one_clock(model: bindrt.Model, film: Path) -> None:
    found = list(model.windows(video=film, audio=film, window=2.0, hop=1.0))
    assert spans(found) == [(n, n + 2.0) for n in range(5)]
    assert [sorted(w) for w in found] == [["audio", "video"]] * 2 + [["video"]] * 3
    parts = [bindrt.Video(film, start=w.start, end=w.end) for w in found]
    np.testing.assert_allclose([w["video"] for w in found], model.embed(video=parts).video, atol=CLOSE)
    heard = [bindrt.Audio(film, start=w.start, end=w.end) for w in found[:2]]
    np.testing.assert_allclose([w["audio"] for w in found[:2]], model.embed(audio=heard).audio, atol=CLOSE)


@pytest.mark.parametrize(("window", "hop", "count", "fps"), [(3.0, 1.5, 100, 15), (1.0, 0.5, 64, 30)])
def test_video_of_other_windows(
    model: bindrt.Model, tmp_path: Path, window: float, hop: float, count: int, fps: int
) -> None:
    path = media.write_video(tmp_path / "film.mp4", count=count, fps=fps)
    found = list(model.windows(video=path, window=window, hop=hop))
    assert found[-1].end == pytest.approx(count / fps)
    parts = [bindrt.Video(path, start=w.start, end=w.end) for w in found]
    np.testing.assert_allclose([w["video"] for w in found], model.embed(video=parts).video, atol=CLOSE)


def test_frames_in_memory_and_an_animation(model: bindrt.Model, tmp_path: Path) -> None:
    frames = media.frames(50)
    whole = bindrt.Video(np.stack(frames), fps=10)
    found = list(model.windows(video=whole, window=2.0))
    assert spans(found) == [(n, n + 2.0) for n in range(4)]
    cut = bindrt.Video(np.stack(frames[20:40]), fps=10)
    np.testing.assert_allclose(found[2]["video"], model.embed(video=cut).video[0], atol=CLOSE)
    path = tmp_path / "moving.webp"
    pictures = [media.PIL.Image.fromarray(frame) for frame in frames]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100, lossless=True)
    again = list(model.windows(video=path, window=2.0))
    assert spans(again) == spans(found)
    np.testing.assert_allclose(again[2]["video"], found[2]["video"], atol=0.02)


def motion(seconds: float, rate: int = 200) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return np.stack([9.8 + np.sin((1 + axis) * t) for axis in range(6)])


def test_imu(model: bindrt.Model, tmp_path: Path) -> None:
    samples, rate = motion(12.0), 200
    np.savez(tmp_path / "walk.npz", samples=samples, t=np.arange(samples.shape[1]) / rate)
    found = list(model.windows(imu=tmp_path / "walk.npz", window=5.0, hop=2.5))
    assert spans(found) == [(0.0, 5.0), (2.5, 7.5), (5.0, 10.0)]  # 4.5 s are too short
    cuts = [samples[:, int(w.start * rate) : int(w.end * rate)] for w in found]
    expected = model.embed(imu=[bindrt.Imu(cut, rate=rate) for cut in cuts]).imu
    np.testing.assert_allclose([w["imu"] for w in found], expected, atol=CLOSE)


def test_a_gap_costs_the_windows_that_hold_it(model: bindrt.Model) -> None:
    samples, times = motion(20.0), np.arange(4000) / 200
    times[2000:] += 0.5
    item = bindrt.Imu(samples, timestamps=times)
    found = list(model.windows(imu=item, window=5.0, on_error="skip"))
    assert [("imu" in w, w.start) for w in found][:5] == [
        (True, 0.0), (True, 2.5), (True, 5.0), (False, 7.5), (False, 10.0),
    ]  # fmt: skip
    assert "a gap of 0.505 s" in str(found[3].errors["imu"])
    assert "shorter than 4.95 s" in str(found[4].errors["imu"])
    assert all("imu" in w for w in found[5:])
    with pytest.raises(bindrt.InputError, match="a gap"):
        list(model.windows(imu=item, window=5.0))


def test_a_part_of_a_recording(model: bindrt.Model, sound: Path, film: Path) -> None:
    whole = list(model.windows(audio=sound, window=1.0))
    part = list(model.windows(audio=bindrt.Audio(sound, start=2.0, end=4.25), window=1.0))
    assert spans(part) == [(2.0, 3.0), (2.5, 3.5), (3.0, 4.0), (3.5, pytest.approx(4.25, abs=1e-4))]
    np.testing.assert_allclose([w["audio"] for w in part[:3]], [w["audio"] for w in whole[4:7]], atol=CLOSE)
    seen = list(model.windows(video=bindrt.Video(film, start=2.0, end=5.0), window=2.0))
    assert spans(seen) == [(2.0, 4.0), (3.0, 5.0)]
    with pytest.raises(bindrt.InputError, match="start is 9 s"):
        list(model.windows(audio=bindrt.Audio(sound, start=9.0)))
    with pytest.raises(bindrt.InputError, match="no frame is shown from 9 s"):
        list(model.windows(video=bindrt.Video(film, start=9.0)))


def test_going_on_after_a_window(model: bindrt.Model, sound: Path) -> None:
    whole = list(model.windows(audio=sound, window=2.0))
    rest = list(model.windows(audio=sound, window=2.0, after=whole[3].start))
    assert spans(rest) == spans(whole[4:])
    np.testing.assert_allclose([w["audio"] for w in rest], [w["audio"] for w in whole[4:]], atol=CLOSE)


def test_a_recording_shorter_than_a_window(model: bindrt.Model) -> None:
    item = bindrt.Audio(media.waveform(0.5), rate=media.RATE)
    (only,) = model.windows(audio=item, window=2.0)
    assert only.notes["audio"]["short_window"] == 0.5
    np.testing.assert_allclose(only["audio"], model.embed(audio=item).audio[0], atol=CLOSE)
    with pytest.raises(bindrt.InputError, match="too short"):
        list(model.windows(audio=bindrt.Audio(np.zeros(100, np.float32), rate=16000)))


CUT_FILES = ["talk.wav", "talk.flac", "talk.mp3", "film.mp4", "film.mkv"]


@pytest.mark.parametrize("name", CUT_FILES)
def test_a_cut_file_is_read_up_to_the_cut(model: bindrt.Model, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    modality = "video" if name.startswith("film") else "audio"
    if modality == "video":
        media.write_video(path, count=300, fps=30, container={"movflags": "faststart"}, options={"g": "15"})
    else:
        path.write_bytes(media.sound_bytes(path.suffix[1:].upper(), media.waveform(10.0)))
    whole = list(model.windows(**{modality: path}, window=1.0, hop=1.0))  # type: ignore[arg-type]
    data = path.read_bytes()
    path.write_bytes(data[: int(0.72 * len(data))])
    found: list[bindrt.Window] = []
    with pytest.raises(bindrt.SourceError) as caught:
        found.extend(model.windows(**{modality: path}, window=1.0, hop=1.0))  # type: ignore[arg-type]
    assert "truncated" in str(caught.value), name
    assert 5 <= len(found) <= 8
    sure = [window[modality] for window in found[:5]]
    np.testing.assert_allclose(sure, [window[modality] for window in whole[:5]], atol=CLOSE)
    told = list(model.windows(**{modality: path}, window=1.0, hop=1.0, on_error="skip"))  # type: ignore[arg-type]
    assert len(told) == len(found) + 1
    assert str(told[-1].errors[modality]) == str(caught.value)
    assert told[-1].start == told[-1].end == found[-1].end


def test_one_source_fails_and_the_others_go_on(model: bindrt.Model, sound: Path) -> None:
    found = list(model.windows(audio=sound, video="missing.mp4", window=2.0, on_error="skip"))
    assert len(found) == 7
    assert "no such file" in str(found[0].errors["video"])
    assert all(not w.errors and "audio" in w for w in found[1:])
    with pytest.raises(bindrt.SourceError, match="no such file"):
        next(iter(model.windows(audio=sound, video="missing.mp4")))


def test_damage_is_noted_where_it_lies(model: bindrt.Model, tmp_path: Path) -> None:
    for suffix, places in (("flac", set(range(11, 19))), ("mp3", {0})):  # an MP3's gaps are counted before
        path = tmp_path / f"talk.{suffix}"
        data = bytearray(media.sound_bytes(suffix.upper(), media.waveform(30.0)))
        at = len(data) // 2
        data[at : at + 2000] = bytes(2000)
        path.write_bytes(data)
        found = list(model.windows(audio=path, window=1.0, hop=1.0))
        noted = {w.number for w in found if "lost_packets" in w.notes.get("audio", {})}
        assert noted
        assert noted <= places
    with pytest.raises(bindrt.SourceError, match="damaged packets"):
        list(model.windows(audio=bindrt.Audio(path, strict=True), window=1.0))


def test_samples_that_are_no_numbers(model: bindrt.Model) -> None:
    wave = media.waveform(60.0, 1)
    wave[0, -100] = np.nan
    found: list[bindrt.Window] = []
    with pytest.raises(bindrt.InputError, match="NaN"):
        found.extend(model.windows(audio=bindrt.Audio(wave, rate=media.RATE), window=2.0, hop=2.0))
    assert len(found) >= 27


def test_limits(sound: Path, film: Path) -> None:
    with bindrt.load("tiny", limits=bindrt.Limits(max_seconds=5)) as model:
        with pytest.raises(bindrt.LimitError, match="longer than"):
            list(model.windows(audio=sound))
        with pytest.raises(bindrt.LimitError, match="longer than"):
            list(model.windows(video=film))
    small = bindrt.load("tiny", limits=bindrt.Limits(max_pixels=100))
    with small as model, pytest.raises(bindrt.LimitError, match="pixels"):
        list(model.windows(video=film))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "there is no recording"),
    ({"audio": "a.wav", "window": 0}, "window=0"),
    ({"audio": "a.wav", "window": float("nan")}, "window=nan"),
    ({"audio": "a.wav", "window": "2"}, "window='2'"),
    ({"audio": "a.wav", "hop": -1.0}, "hop=-1.0"),
    ({"audio": "a.wav", "hop": 0.001}, "hop=0.001"),
    ({"audio": "a.wav", "on_error": "stop"}, "on_error"),
    ({"audio": "a.wav", "normalize": "no"}, "normalize"),
    ({"audio": "a.wav", "after": "x"}, "after"),
    ({"audio": bindrt.Audio("a.wav", start=1.0), "video": "a.mp4"}, "different seconds"),
    ({"audio": np.zeros(100)}, "no rate"),
    ({"audio": bindrt.Video("a.mp4")}, "not of audio"),
    ({"audio": ["a.wav", "b.wav"]}, "no rate"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[m for _, m in WRONG])
def test_wrong_arguments_are_told_at_once(
    model: bindrt.Model, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(bindrt.Error) as caught:
        model.windows(**arguments)
    assert message in str(caught.value)


def test_a_model_that_isolates_decoders_refuses(sound: Path) -> None:
    with bindrt.load("tiny", isolate=True) as model, pytest.raises(bindrt.OptionError, match="isolate"):
        model.windows(audio=sound)


def test_leaving_early_ends_the_threads(model: bindrt.Model, sound: Path, film: Path) -> None:
    found = model.windows(audio=sound, video=film, window=0.5, hop=0.1)
    assert next(iter(found)).start == 0.0
    found.close()  # type: ignore[attr-defined]
    assert not [
        thread.name for thread in threading.enumerate() if thread.name in ("bindrt-windows", "bindrt-decode")
    ]


def test_the_window_is_a_mapping() -> None:
    vector = np.ones(4, np.float32)
    window = bindrt.Window(3, 1.5, 3.5, {"audio": vector}, errors={"video": bindrt.Error("a", "b")})
    assert (dict(window), len(window), "video" in window) == ({"audio": vector}, 1, False)
    assert repr(window) == "Window(1.5 to 3.5 s: audio; 1 errors)"
