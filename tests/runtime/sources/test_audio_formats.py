"""Recordings of every format, right or damaged."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bindrt import Audio, LimitError, Limits, SourceError, preprocess
from support.media import RATE, picture_bytes, sound_bytes, waveform, write_video

FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("WAV", {"subtype": "PCM_16"}),
    ("WAV", {"subtype": "PCM_24"}),
    ("WAV", {"subtype": "FLOAT"}),
    ("WAV", {"subtype": "PCM_U8"}),
    ("FLAC", {}),
    ("OGG", {}),
    ("OGG", {"subtype": "OPUS"}),
    ("MP3", {}),
]
TRACKS = [
    ("sound.m4a", None, "aac"),
    ("sound.mp4", None, "aac"),
    ("video.mp4", "libx264", "aac"),
    ("video.mkv", "libx264", "flac"),
    ("video.webm", "libvpx", "libopus"),
    ("video.avi", "mpeg4", "mp3"),
]


@pytest.mark.parametrize(("fmt", "options"), FORMATS)
def test_as_libsndfile_reads_it(fmt: str, options: dict[str, Any], tmp_path: Path) -> None:
    rate = 48000 if options.get("subtype") == "OPUS" else RATE
    data = sound_bytes(fmt, rate=rate, **options)
    wave, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    expected = preprocess.audio(Audio(wave.T, rate=rate))
    # FFmpeg decodes MP3, since libmpg123 writes to stderr; the two round differently, by 2e-6 of full scale.
    np.testing.assert_allclose(preprocess.audio(data), expected, rtol=0, atol=1e-3 if fmt == "MP3" else 0)
    path = tmp_path / "recording.jpg"
    path.write_bytes(data)
    np.testing.assert_array_equal(preprocess.audio(path), preprocess.audio(data))


@pytest.mark.parametrize(("name", "video", "audio"), TRACKS)
def test_sound_tracks(name: str, video: str | None, audio: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / name, video, audio=audio)
    expected = preprocess.audio(Audio(waveform(3.0, 2, 48000), rate=48000))
    out = preprocess.audio(path)
    assert out.shape == (3, 1, 128, 204)
    # Lossy codecs delay a little and drop faint bands; the tones must be where they were.
    louder = expected > expected.max() - 0.8
    assert np.abs(out - expected)[louder].mean() < (1e-3 if audio == "flac" else 0.15)
    np.testing.assert_array_equal(preprocess.audio(path.read_bytes()), out)


@pytest.mark.parametrize(("fmt", "options"), FORMATS[:5])
def test_truncated(fmt: str, options: dict[str, Any]) -> None:
    data = sound_bytes(fmt, waveform(5.0), **options)
    with pytest.raises(SourceError):
        preprocess.audio(data[: len(data) // 2])


@pytest.mark.parametrize(("fmt", "options"), FORMATS[5:])
def test_a_cut_stream_is_shorter_or_an_error(fmt: str, options: dict[str, Any]) -> None:
    """OGG and MP3 are streams: what is left of one is a shorter one."""
    rate = 48000 if options.get("subtype") == "OPUS" else RATE
    data = sound_bytes(fmt, waveform(5.0, rate=rate), rate=rate, **options)
    for keep in (len(data) // 2, 100):
        with contextlib.suppress(SourceError):
            assert np.isfinite(preprocess.audio(data[:keep])).all()


@pytest.mark.parametrize("keep", [0.3, 0.7])
@pytest.mark.parametrize(
    ("name", "video", "audio"), [*TRACKS[3:5], ("sound.mka", None, "flac"), ("sound.webm", None, "libopus")]
)
def test_a_matroska_says_how_long_it_was(
    name: str, video: str | None, audio: str, keep: float, tmp_path: Path
) -> None:
    data = write_video(tmp_path / name, video, audio=audio).read_bytes()
    with pytest.raises(SourceError, match=r"truncated: .* s are there"):
        preprocess.audio(data[: int(len(data) * keep)])


def test_a_wav_that_cannot_seek() -> None:
    data = sound_bytes("WAV", waveform(3.0, 1, 8000), rate=8000, subtype="GSM610")
    wave, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    np.testing.assert_array_equal(preprocess.audio(data), preprocess.audio(Audio(wave.T, rate=rate)))


def test_a_long_wav_says_how_long_it_was() -> None:
    data = sound_bytes("RF64", waveform(5.0))
    assert preprocess.audio(data).shape == (3, 1, 128, 204)
    with pytest.raises(SourceError, match="WAV is truncated"):
        preprocess.audio(data[: len(data) // 2])


@pytest.mark.parametrize(("name", "video", "audio"), TRACKS)
def test_truncated_track(name: str, video: str | None, audio: str, tmp_path: Path) -> None:
    data = write_video(tmp_path / name, video, audio=audio).read_bytes()
    with contextlib.suppress(SourceError):
        assert np.isfinite(preprocess.audio(data[: len(data) // 2])).all()


def test_no_sound_track(tmp_path: Path) -> None:
    path = write_video(tmp_path / "silent.mp4")
    with pytest.raises(SourceError, match="no sound track"):
        preprocess.audio(path)


def test_a_picture_is_no_recording() -> None:
    with pytest.raises(SourceError, match="an image"):
        preprocess.audio(picture_bytes("PNG"))


def test_longer_than_the_limit(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="longer than the limit"):
        preprocess.audio(sound_bytes("WAV"), limits=Limits(max_seconds=2))
    path = write_video(tmp_path / "sound.m4a", None, audio="aac")
    with pytest.raises(LimitError, match="longer than the limit"):
        preprocess.audio(path, limits=Limits(max_seconds=2))


def test_wav_of_unknown_size_is_read() -> None:
    """As programs write it that stream to a pipe."""
    data = bytearray(sound_bytes("WAV", subtype="PCM_16"))
    expected = preprocess.audio(bytes(data))
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    np.testing.assert_array_equal(preprocess.audio(bytes(data)), expected)


def test_memory_stays_flat_and_skipping_is_exact(tmp_path: Path) -> None:
    """Only the clips are kept: a long recording equals its clips put side by side."""
    wave = waveform(40.0, 1, 16000)
    path = tmp_path / "long.wav"
    soundfile.write(path, wave.T, 16000, subtype="PCM_16")
    stored = soundfile.read(path, dtype="float32")[0]
    clips = [preprocess.audio(Audio(stored[i * 16000 : (i + 2) * 16000], rate=16000))[0] for i in (0, 19, 38)]
    np.testing.assert_array_equal(preprocess.audio(path), np.stack(clips))
