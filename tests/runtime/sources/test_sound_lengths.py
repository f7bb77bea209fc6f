"""The whole of a sound is read, whatever its header says of the length, and however many are in the file."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from bindrt import Audio, InputError, LimitError, Limits, SourceError, preprocess
from bindrt.sources import open_source, soundfiles, tracks
from bindrt.sources.audio import open_audio
from support import more_seeds
from support.media import sound_bytes, waveform

RATE = 44100
BARE = {"write_xing": "0", "id3v2_version": "0"}  # as a recorder leaves it that was killed
TAG = b"ID3\4\0\0" + bytes([0, 0, 60, 0]) + bytes(60 << 7)


def rising(seconds: float = 8.0, rate: int = RATE) -> np.ndarray:
    """A rising tone ``[N]``: which part of it was heard shows."""
    t = np.arange(int(seconds * rate)) / rate
    return np.float32(0.5 * np.sin(2 * np.pi * (200 * t + 150 * t * t)))


def encoded(
    wave: np.ndarray, fmt: str, codec: str, rate: int = RATE, mux: Any = None, **options: str
) -> bytes:
    out = io.BytesIO()
    layout = "mono" if wave.ndim == 1 else "stereo"
    with av.open(out, "w", format=fmt, options=mux or {}) as media:
        stream: Any = media.add_stream(codec, rate=rate, options=options, layout=layout)
        samples = np.ascontiguousarray(wave.reshape(-1, wave.shape[-1]))
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            media.mux(packet)
    return out.getvalue()


def mp3(wave: np.ndarray, mux: Any = None, rate: int = RATE, **options: str) -> bytes:
    return encoded(wave, "mp3", "libmp3lame", rate, mux, **options)


def heard(data: bytes, wave: np.ndarray, rate: int = RATE) -> float:
    """How much the clips differ from those of the samples, on average over what is loud."""
    want = preprocess.audio(Audio(wave, rate=rate))
    loud = want > want.max() - 1.5
    return float(np.abs(preprocess.audio(data) - want)[loud].mean())


@pytest.mark.parametrize("front", [np.zeros(0, np.float32), np.zeros(3 * RATE, np.float32)])
def test_an_mp3_without_a_header(front: np.ndarray) -> None:
    """An estimate from its first frames would be far too short, or far too long."""
    wave = np.concatenate([front, rising()])
    data = mp3(wave, BARE, compression_level="4", q="4")
    assert heard(data, np.concatenate([np.zeros(1105, np.float32), wave])) < 0.05


@pytest.mark.parametrize(
    "between",
    [b"", TAG, b"TAG" + bytes(125), bytes(5000), b"APETAGEX" + struct.pack("<4I", 2000, 32, 0, 0) + bytes(8)],
)
@pytest.mark.parametrize("mux", [None, BARE])
def test_mp3s_one_after_the_other(between: bytes, mux: Any) -> None:
    wave = rising()
    first, second = mp3(wave[: 2 * RATE]), mp3(wave[2 * RATE :], mux)
    late = 1105 if mux else 0  # without a header nothing says what the encoder put before
    want = np.concatenate([wave[: 2 * RATE], np.zeros(late, np.float32), wave[2 * RATE :]])
    assert heard(first + between + second, want) < 0.03


def test_mp3s_of_other_rates_and_channels() -> None:
    low = rising(2.0, 22050)
    data = mp3(rising(2.0)) + mp3(low, rate=22050) + mp3(np.stack([rising(2.0)] * 2))
    assert heard(data, np.concatenate([rising(2.0)] * 3)) < 0.1


@pytest.mark.parametrize("start", [20001, 30000])
def test_an_mp3_from_the_middle_of_a_frame(start: int) -> None:
    data = mp3(rising(), BARE)[start:]
    with av.open(io.BytesIO(data), format="mp3") as media:
        whole = np.concatenate([f.to_ndarray() for f in media.decode(audio=0)], 1)
    np.testing.assert_allclose(preprocess.audio(data), preprocess.audio(Audio(whole, rate=RATE)), atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
@pytest.mark.parametrize("bit_rate", ["8000", "64000"])
def test_frames_that_are_left_out_change_nothing(rate: int, bit_rate: str) -> None:
    """A frame borrows bytes of those before it, up to fifty at the lowest bit rate."""
    data = mp3(rising(60.0, rate), rate=rate, b=bit_rate)
    with open_audio(open_source(data)) as recording:
        blocks = list(recording.blocks(None))
        assert sum(len(block) for _, block in recording.blocks([range(rate)])) < 10 * rate
    whole = np.concatenate([block for _, block in blocks]).T
    assert recording.frames == whole.shape[1] == 60 * rate
    np.testing.assert_array_equal(preprocess.audio(data), preprocess.audio(Audio(whole, rate=rate)))


@pytest.mark.parametrize(
    ("fmt", "subtype", "rate"), [("OGG", "VORBIS", 44100), ("OGG", "OPUS", 48000), ("FLAC", "PCM_16", 44100)]
)
def test_links(fmt: str, subtype: str, rate: int) -> None:
    """Chained OGG and FLAC files one after the other: each link as it is read alone."""
    wave = rising(8.0, rate)
    parts = [
        sound_bytes(fmt, part[None], rate, subtype=subtype) for part in np.split(wave, [2 * rate, 3 * rate])
    ]
    alone = np.concatenate([soundfile.read(io.BytesIO(part), dtype="float32")[0] for part in parts])
    assert len(alone) == len(wave)
    want = preprocess.audio(Audio(alone, rate=rate))
    np.testing.assert_allclose(preprocess.audio(b"".join(parts)), want, atol=1e-5)
    np.testing.assert_allclose(preprocess.audio(io.BytesIO(TAG + b"".join(parts))), want, atol=1e-5)


def test_links_of_other_rates_and_channels() -> None:
    data = sound_bytes("OGG", rising(2.0)[None], RATE) + sound_bytes(
        "OGG", np.stack([rising(2.0, 22050)] * 2), 22050
    )
    assert heard(data, np.concatenate([rising(2.0)] * 2)) < 0.1


def test_a_damaged_link_is_counted() -> None:
    parts = [sound_bytes("OGG", rising(2.0)[None], RATE) for _ in range(3)]
    parts[1] = parts[1].replace(b"vorbis", b"x")
    views = preprocess.prepare("audio", b"".join(parts))
    assert views.notes["lost_packets"] >= 1
    with pytest.raises(SourceError, match="damaged packets"):
        preprocess.audio(Audio(b"".join(parts), strict=True))


def patched(fmt: str, at: Callable[[bytes], int], value: bytes, **options: Any) -> bytes:
    data = bytearray(sound_bytes(fmt, waveform(5.0), **options))
    where = at(bytes(data))
    data[where : where + len(value)] = value
    return bytes(data)


def data_size(data: bytes) -> int:
    return data.index(b"data") + 4


def file_size(fmt: str, **options: Any) -> int:
    return len(sound_bytes(fmt, waveform(5.0), **options))


PCM = {"subtype": "PCM_16"}
SIZES = [
    *(("WAV", data_size, n.to_bytes(4, "little")) for n in (0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFD3)),
    *(("WAV", data_size, n.to_bytes(4, "little")) for n in (0x7FFFF000, 0x7FFFFFDC, 0x80000000, 0xFFFFF000)),
    *(
        ("RF64", lambda d: d.index(b"ds64") + 16, n.to_bytes(8, "little"))
        for n in (2**63 - 4096, 2**64 - 9000)
    ),
    ("WAV", data_size, file_size("WAV", **PCM).to_bytes(4, "little")),
    ("WAV", data_size, (file_size("WAV", **PCM) - 8).to_bytes(4, "little")),
    ("RF64", lambda d: d.index(b"ds64") + 16, bytes(8)),
    ("RF64", lambda d: d.index(b"ds64") + 16, b"\xff" * 8),
    ("RF64", lambda d: 0, b"BW64"),
    ("W64", lambda d: d.index(b"data\xf3") + 16, bytes(8)),
    ("W64", lambda d: d.index(b"data\xf3") + 16, b"\xff" * 8),
    ("AIFF", lambda d: d.index(b"SSND") + 4, bytes(4)),
    ("AIFF", lambda d: d.index(b"SSND") + 4, b"\xff" * 4),
    ("AIFF", lambda d: d.index(b"SSND") + 4, bytes.fromhex("7ffff008")),
    ("AU", lambda d: 8, bytes.fromhex("7ffff000")),
    ("AU", lambda d: 8, bytes(4)),
    ("AU", lambda d: 8, b"\xff" * 4),
    ("CAF", lambda d: d.index(b"data") + 4, b"\xff" * 8),
    ("CAF", lambda d: d.index(b"data") + 4, bytes(8)),
]


@pytest.mark.parametrize(("fmt", "at", "value"), SIZES)
def test_a_size_that_was_never_written_or_is_the_files(fmt: str, at: Any, value: bytes) -> None:
    whole = preprocess.audio(sound_bytes(fmt, waveform(5.0), **PCM))
    if fmt == "WAV":  # recorders that are killed leave both sizes empty
        both = bytearray(patched(fmt, at, value, **PCM))
        both[4:8] = bytes(4)
        np.testing.assert_array_equal(preprocess.audio(bytes(both)), whole)
    np.testing.assert_array_equal(preprocess.audio(patched(fmt, at, value, **PCM)), whole)


@pytest.mark.parametrize("fmt", ["WAV", "RF64", "W64", "AIFF", "AU", "CAF", "SVX", "VOC"])
def test_a_cut_file_says_so(fmt: str) -> None:
    data = sound_bytes(fmt, waveform(5.0, 1), subtype="PCM_16")
    for keep in (0.5, 0.9):
        with pytest.raises(SourceError, match="truncated"):
            preprocess.audio(data[: int(len(data) * keep)])


def test_a_flac_of_unknown_length() -> None:
    """As an encoder leaves it that writes into a pipe."""
    data = bytearray(sound_bytes("FLAC", waveform(5.0)))
    want = preprocess.audio(bytes(data))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    np.testing.assert_allclose(preprocess.audio(bytes(data)), want, atol=1e-5)


NAMED = [
    ("wav", lambda w: sound_bytes("WAV", w)),
    ("mp3", mp3),
    ("ogg", lambda w: sound_bytes("OGG", w)),
    ("m4a", lambda w: encoded(w, "mp4", "aac")),
]


@pytest.mark.parametrize(("name", "make"), NAMED)
def test_names_that_are_not_utf8(name: str, make: Any, tmp_path: Path) -> None:
    data = make(waveform(3.0, 2, RATE))
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9." + name.encode())
    with open(path, "wb") as file:
        file.write(data)
    want = preprocess.audio(data)
    np.testing.assert_array_equal(preprocess.audio(os.fsdecode(path)), want)


DAMAGED = [
    ("FLAC", lambda w: sound_bytes("FLAC", w, RATE)),
    ("OGG", lambda w: sound_bytes("OGG", w, RATE)),
    ("OPUS", lambda w: sound_bytes("OGG", w, 48000, subtype="OPUS")),
    ("MP3", mp3),
    ("MP3 without a header", lambda w: mp3(w, BARE)),
    ("AAC", lambda w: encoded(w, "adts", "aac")),
    ("AC-3", lambda w: encoded(w, "ac3", "ac3")),
    ("MKV", lambda w: encoded(w, "matroska", "flac")),
]


@pytest.mark.parametrize(("name", "make"), DAMAGED)
def test_the_rest_of_a_damaged_file_is_heard_and_the_loss_is_counted(
    name: str, make: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    wave = waveform(8.0, 2, RATE)
    data = bytearray(make(wave))
    middle = len(data) // 2
    data[middle : middle + 512] = bytes(512)
    views = preprocess.prepare("audio", bytes(data))
    assert np.isfinite(np.asarray(views.array)).all()
    assert views.notes["lost_packets"] >= 1
    with pytest.raises(SourceError, match="damaged packets"):
        preprocess.audio(Audio(bytes(data), strict=True))
    assert capfd.readouterr().err == ""


def test_the_rest_of_a_damaged_file_has_the_callers_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller who allows longer recordings than usual hears the rest of a damaged one too."""
    data = bytearray(sound_bytes("FLAC", waveform(8.0, 2, RATE), RATE))
    middle = len(data) // 2
    data[middle : middle + 512] = bytes(512)
    given = []

    def open_track(opened: Any, file_format: Any, limits: Limits, damage: Any) -> Any:
        given.append(limits)
        return tracks.open_track(opened, file_format, limits, damage)

    monkeypatch.setattr(soundfiles, "open_track", open_track)
    limits = Limits(max_seconds=100_000)
    preprocess.audio(bytes(data), limits=limits)
    assert given
    assert all(one is limits for one in given)


SEGMENTS = [(0.0, 2.5), (3.0, None), (None, 4.0), (2.25, 3.75), (6.0, 100.0), (1.0, 7.5)]


@pytest.mark.parametrize(("start", "end"), SEGMENTS)
@pytest.mark.parametrize("kind", ["WAV", "long WAV", "MP3", "AAC", "array"])
def test_a_segment_is_as_if_it_were_all(kind: str, start: float | None, end: float | None) -> None:
    wave = waveform(8.0, 2, 16000) if kind != "long WAV" else waveform(40.0, 2, 16000)
    source: Any = wave
    if kind == "AAC":
        source = encoded(wave, "adts", "aac", 16000)
    elif kind == "MP3":
        source = mp3(wave, rate=16000)
    elif kind != "array":
        source = sound_bytes("WAV", wave, 16000, subtype="FLOAT")
    if kind in ("AAC", "MP3"):
        with open_audio(open_source(source)) as recording:
            wave = np.concatenate([block for _, block in recording.blocks(None)]).T
    part = wave[:, int((start or 0) * 16000) : None if end is None else int(end * 16000)]
    item = Audio(source, rate=16000 if kind == "array" else None, start=start, end=end)
    np.testing.assert_array_equal(preprocess.audio(item), preprocess.audio(Audio(part, rate=16000)))
    if kind != "array":
        assert np.array_equal(preprocess.audio(source, start=start, end=end), preprocess.audio(item))


@pytest.mark.parametrize(
    ("start", "end"), [(9.0, None), (3.0, 3.0), (4.0, 3.0), (-1.0, None), (None, 0.01), ("1", 2)]
)
def test_a_segment_that_has_no_sound(start: Any, end: Any) -> None:
    with pytest.raises(InputError, match="bytes"):
        preprocess.audio(Audio(sound_bytes("WAV"), start=start, end=end))


def test_libsndfile_says_nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """A damaged length sends it to a position before the beginning."""
    data = bytearray(sound_bytes("AIFF", waveform(0.5)))
    for at in range(4, 60):
        for value in (0x00, 0x7F, 0xFF):
            damaged = bytes(data[:at] + bytes([value]) * 4 + data[at + 4 :])
            with contextlib.suppress(SourceError, InputError, LimitError):
                preprocess.audio(damaged)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("fmt", "codec"), [("asf", "wmav2"), ("flv", "aac"), ("mxf_opatom", "pcm_s16le"), ("rm", "ac3")]
)
def test_a_container_that_says_how_large_it_is(fmt: str, codec: str) -> None:
    data = sound_bytes(fmt) if fmt == "NIST" else more_seeds.track(fmt, codec, 48000)
    assert preprocess.audio(data).shape == (3, 1, 128, 204)
    with pytest.raises(SourceError, match=r"truncated: "):
        preprocess.audio(data[: len(data) * 3 // 4])
