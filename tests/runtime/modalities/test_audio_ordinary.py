"""Ordinary recordings are prepared without the interpreter's lock, with the same numbers as Python's way."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import bindrt
from bindrt import Audio, Limits
from bindrt.modalities import MODALITIES
from bindrt.preprocess.dispatch import prepare_ordinary
from support import golden
from support.both_ways import is_ordinary, left
from support.media import sound_bytes, waveform, write_video
from support.seeds import all_seeds

LIMITS = Limits(max_seconds=100)


def takes(src: Any, **options: Any) -> bool:
    """Whether the item is ordinary; then both ways have given the same."""
    return is_ordinary("audio", Audio(src, **options), LIMITS)


def assert_same(src: Any, **options: Any) -> None:
    assert takes(src, **options)


def assert_left(src: Any, **options: Any) -> None:
    assert not takes(src, **options)


def mp3(seconds: float, rate: int = 44100, channels: int = 2, **options: str) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp3", options=options) as media:
        layout = "stereo" if channels == 2 else "mono"
        stream: Any = media.add_stream("libmp3lame", rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(waveform(seconds, channels, rate), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            media.mux(packet)
    return out.getvalue()


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
)
@pytest.mark.parametrize("seconds", [0.4, 2.7, 13.1])
def test_wav(subtype: str, seconds: float) -> None:
    assert_same(sound_bytes("WAV", waveform(seconds), subtype=subtype))


@pytest.mark.parametrize("channels", [1, 3, 7])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000, 11111])
def test_channels_and_rates(channels: int, rate: int) -> None:
    for fmt, seconds in (("WAV", 5.0), ("WAVEX", 2.0), ("FLAC", 6.6)):
        assert_same(sound_bytes(fmt, waveform(seconds, channels, rate), rate))


@pytest.mark.parametrize(
    ("fmt", "options"),
    [
        ("FLAC", {"subtype": "PCM_S8"}),
        ("FLAC", {"subtype": "PCM_24"}),
        ("FLAC", {"compression_level": 1.0}),
        ("OGG", {"subtype": "VORBIS"}),
        ("OGG", {"subtype": "OPUS", "rate": 48000}),
    ],
)
@pytest.mark.parametrize("seconds", [1.9, 5.0, 31.0])
def test_compressed(fmt: str, options: dict[str, Any], seconds: float) -> None:
    rate = options.get("rate", 22050)
    assert_same(sound_bytes(fmt, waveform(seconds, 2, rate), **{"rate": rate, **options}))


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (48000, 1), (22050, 2), (8000, 1)])
@pytest.mark.parametrize("seconds", [1.0, 15.0])
def test_mp3(rate: int, channels: int, seconds: float) -> None:
    data = mp3(seconds, rate, channels)
    assert_same(data)
    assert_same(mp3(seconds, rate, channels, write_xing="0", id3v2_version="0"))
    assert_same(b"ID3\4\0\0\0\0\0\5....." + data + b"TAG" + bytes(125))


def test_long_recordings() -> None:
    """Longer than one block: of some formats only the clips are decoded."""
    wave = waveform(50.0, 2, 22050)
    for fmt, subtype in (("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")):
        assert_same(sound_bytes(fmt, wave, subtype=subtype))
        assert_same(sound_bytes(fmt, wave, subtype=subtype), start=11.25, end=41.0)
    assert_same(mp3(50.0))


@pytest.mark.parametrize(
    "span", [{"start": 1}, {"end": 1.25}, {"start": 0.33333, "end": 4.2}, {"start": 4.4}]
)
def test_parts(span: dict[str, Any]) -> None:
    wave = waveform(5.0)
    for data in (sound_bytes("WAV", wave), sound_bytes("FLAC", wave), sound_bytes("OGG", wave), mp3(5.0)):
        assert_same(data, **span)
    assert_same(wave, rate=22050, **span)


def test_paths(tmp_path: Path) -> None:
    for name, data in (("a.wav", sound_bytes("WAV")), ("b.flac", sound_bytes("FLAC")), ("c.mp3", mp3(3.0))):
        (tmp_path / name).write_bytes(data)
        assert_same(tmp_path / name)
        assert_same(str(tmp_path / name))
    large = sound_bytes("WAV", waveform(60.0, 2, 48000), 48000)
    assert len(large) > 4 << 20  # it is read piece by piece
    (tmp_path / "large.wav").write_bytes(large)
    assert_same(tmp_path / "large.wav")
    for odd in (tmp_path, tmp_path / "missing.wav", Path("/dev/null")):
        assert_left(odd)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.int32])
@pytest.mark.parametrize("seconds", [0.1, 3.0, 20.0])
def test_waveforms(dtype: type, seconds: float) -> None:
    wave = waveform(seconds, 2, 16000)
    scaled = wave if dtype is np.float32 else (wave * np.iinfo(dtype).max).astype(dtype)
    for rate in (16000, 22050.0, 8000):
        assert_same(scaled, rate=rate)
    assert_same(scaled[0], rate=48000)


def chained(fmt: str) -> bytes:
    return sound_bytes(fmt) * 2


def changed(data: bytes, at: int, byte: int = 0x55) -> bytes:
    return data[:at] + bytes([data[at] ^ byte]) + data[at + 1 :]


LEFT: dict[str, Callable[[], bytes]] = {
    "joined FLAC": lambda: chained("FLAC"),
    "joined MP3": lambda: mp3(2.0) * 2,
    "an odd MP3": lambda: b"junk" + mp3(2.0),
    "cut MP3": lambda: mp3(2.0)[:-100],
    "damaged FLAC": lambda: changed(sound_bytes("FLAC"), 20000),
    "a long damaged FLAC": lambda: changed(sound_bytes("FLAC", waveform(60.0)), 900_000),
    "damaged OGG": lambda: changed(sound_bytes("OGG"), 9000),
    "cut OGG": lambda: sound_bytes("OGG")[:-50],
    "cut WAV": lambda: sound_bytes("WAV")[:-400],
    "a WAV whose size was never written": lambda: (
        sound_bytes("WAV")[:40] + bytes(4) + sound_bytes("WAV")[44:]
    ),
    "a big-endian WAV": lambda: sound_bytes("WAV", endian="BIG"),
    "ADPCM": lambda: sound_bytes("WAV", subtype="IMA_ADPCM"),
    "FLAC in OGG": lambda: sound_bytes("OGG").replace(b"\x01vorbis", b"\x7fFLAC\0\0"),
    "AIFF": lambda: sound_bytes("AIFF"),
    "not a sound": lambda: b"RIFF\0\0\0\0WAVEfmt ",
    "too long": lambda: sound_bytes("WAV", waveform(101.0, 1, 8000), 8000),
    "too short": lambda: sound_bytes("WAV", waveform(0.02)),
    "NaN": lambda: sound_bytes("WAV", np.full((1, 9000), np.nan, np.float32), subtype="FLOAT"),
    "huge": lambda: sound_bytes("WAV", np.full((1, 9000), 2.0**51, np.float32), subtype="FLOAT"),
}


@pytest.mark.parametrize("what", LEFT)
def test_others_are_left(what: str) -> None:
    assert_left(LEFT[what]())


def test_waveforms_that_are_left() -> None:
    wave = waveform(3.0)
    assert_left(wave)
    assert_left(wave, rate=22050.5)
    assert_left(wave, rate=True)
    assert_left(wave, rate=-1)
    assert_left(wave, rate=5_000_000)
    assert_left(wave.astype(np.float64), rate=22050)
    assert_left(wave.T, rate=22050)  # 66 150 channels
    assert_left(np.full(9000, np.inf, np.float32), rate=22050)
    assert_left(wave, rate=22050, start=3.5)
    assert_left(wave, rate=22050, start=2, end=1)
    assert_left(sound_bytes("WAV"), rate=22050)
    assert_same(sound_bytes("WAV"), strict=True)


def test_a_film_is_left(tmp_path: Path) -> None:
    assert_left(write_video(tmp_path / "film.mp4", audio="aac"))


def test_limits_are_kept() -> None:
    data = sound_bytes("WAV")
    for limits in (Limits(max_bytes=len(data) - 1), Limits(max_seconds=2.4)):
        assert prepare_ordinary(MODALITIES["audio"], Audio(data), limits) is None
        with pytest.raises(bindrt.LimitError):
            bindrt.preprocess.audio(data, limits=limits)


@pytest.mark.parametrize("case", golden.cases("audio"))
def test_golden_files(case: golden.Case) -> None:
    assert_same(case.path)


#: The sounds that the damage tests begin with and that are ordinary.
TAKEN = {
    "bare.mp3", "float.wav", "golden/dc_offset_16k.wav", "golden/short_8k.wav", "opus.ogg", "pcm16.wav",
    "pcm24.flac", "stereo.mp3", "ulaw.wav", "vorbis.ogg",
}  # fmt: skip


def test_the_sounds_of_the_damage_tests() -> None:
    sounds = {seed.name: Audio(seed.data) for seed in all_seeds(with_whole=False) if seed.modality == "audio"}
    assert set(sounds) - left("audio", sounds) == TAKEN


def test_a_wav_that_lies_about_its_codec() -> None:
    """MPEG in a WAV would make libsndfile's decoder write to stderr."""
    data = bytearray(sound_bytes("WAV"))
    data[20:22] = struct.pack("<H", 0x55)
    assert_left(bytes(data))


def test_no_library_no_file() -> None:
    """In a process that has not loaded them every file is left, and Python reads it."""
    code = """
import sys
from bindrt import Audio, Limits, _core
from bindrt.modalities import MODALITIES
from bindrt.preprocess.dispatch import prepare_ordinary
data = sys.stdin.buffer.read()
print(_core.use_libsndfile("/no/such/library.so"), _core.use_libavcodec(_core.__file__))
for _ in range(2):
    print(prepare_ordinary(MODALITIES["audio"], Audio(data), Limits()) is None)
    MODALITIES["audio"].prepare(Audio(data), Limits())
"""
    for data in (sound_bytes("WAV"), mp3(2.0)):
        done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
        assert done.stdout.split() == [b"False", b"False", b"True", b"False"], done.stderr
