"""Sounds that are frames one after the other, without a promised length, and the rarer files of studios."""

from __future__ import annotations

import io
import struct
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from bindrt import Audio, SourceError, preprocess
from bindrt.sources.formats import sniff
from support.media import waveform

RATE = 48000
#: FFmpeg's name of the format, of the encoder, the options.
STREAMS: list[tuple[str, str, dict[str, str]]] = [
    ("adts", "aac", {}),
    ("ac3", "ac3", {}),
    ("eac3", "eac3", {}),
    ("latm", "aac", {}),
    ("sbc", "sbc", {"b": "328000"}),
]


def made(fmt: str, codec: str, options: dict[str, str]) -> bytes:
    """A file of five seconds."""
    out = io.BytesIO()
    with av.open(out, "w", format=fmt) as media:
        stream: Any = media.add_stream(codec, rate=RATE, options=options, layout="stereo")
        frame = av.AudioFrame.from_ndarray(waveform(5.0, 2, RATE), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = RATE, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            media.mux(packet)
    return out.getvalue()


def decoded(data: bytes, fmt: str) -> np.ndarray:
    with av.open(io.BytesIO(data), format={"adts": "aac", "latm": "loas"}.get(fmt, fmt)) as media:
        resampler = av.AudioResampler("fltp")
        blocks = [r.to_ndarray() for f in media.decode(audio=0) for r in resampler.resample(f)]
    return np.concatenate(blocks, axis=1)


@pytest.mark.parametrize(("fmt", "codec", "options"), STREAMS)
def test_all_of_it_is_heard(fmt: str, codec: str, options: dict[str, str]) -> None:
    data = made(fmt, codec, options)
    views = preprocess.prepare("audio", data)
    assert "lost_packets" not in views.notes
    want = preprocess.audio(Audio(decoded(data, fmt), rate=RATE))
    np.testing.assert_allclose(preprocess.audio(data), want, atol=1e-5)
    assert preprocess.detect(data) == "audio"


@pytest.mark.parametrize(("fmt", "codec", "options"), STREAMS)
def test_a_cut_one_is_heard_up_to_the_cut(fmt: str, codec: str, options: dict[str, str]) -> None:
    data = made(fmt, codec, options)
    cut = data[: len(data) * 6 // 10 + 7]
    assert preprocess.prepare("audio", cut).notes["lost_packets"] >= 1
    with pytest.raises(SourceError, match="damaged packets"):
        preprocess.audio(Audio(cut, strict=True))


@pytest.mark.parametrize(("word", "name"), [("f8726fbb", "mlp"), ("f8726fba", "truehd")])
def test_mlp_is_known_by_its_first_frame(word: str, name: str) -> None:
    assert sniff(bytes.fromhex("803effd8" + word + "0f0f0001b7524000")).name == name


@pytest.mark.parametrize(("fmt", "codec"), [("wv", "wavpack"), ("tta", "tta")])
def test_a_wrong_check_sum_is_counted(fmt: str, codec: str) -> None:
    data = bytearray(made(fmt, codec, {}))
    middle = len(data) // 2
    data[middle : middle + 100] = bytes(100)
    assert preprocess.prepare("audio", bytes(data)).notes["lost_packets"] >= 1


def test_floats_in_an_extensible_w64() -> None:
    """As FFmpeg writes them; libsndfile 1.2.2 takes them as integers."""
    wave = waveform(5.0, 1, RATE)
    tail = bytes.fromhex("f3acd3118cd100c04f8edb8a")
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, 1, RATE, 4 * RATE, 4, 32, 22, 32, 4)
    fmt += bytes.fromhex("0300000000001000800000aa00389b71")
    samples = wave.astype("<f4").tobytes()
    rest = b"wave" + tail + b"fmt " + tail + struct.pack("<Q", 24 + len(fmt)) + fmt
    rest += b"data" + tail + struct.pack("<Q", 24 + len(samples)) + samples
    data = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000") + struct.pack("<Q", 24 + len(rest)) + rest
    assert soundfile.info(io.BytesIO(data)).subtype == "PCM_32"
    np.testing.assert_array_equal(preprocess.audio(data), preprocess.audio(Audio(wave, rate=RATE)))


def one_bit(seconds: float = 3.0) -> np.ndarray:
    """A rising tone as the bits of DSD, 0 or 1."""
    t = np.arange(int(seconds * 44100)) / 44100
    wave = np.repeat(0.5 * np.sin(2 * np.pi * (200 * t + 150 * t * t)), 64)
    return np.diff(np.floor(np.cumsum((wave + 1) / 2)), prepend=0).astype(np.uint8)


def dsf(bits: np.ndarray) -> bytes:
    samples = np.packbits(bits, bitorder="little").tobytes()
    samples += bytes(-len(samples) % 4096)
    fmt = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 1, 1, 2822400, 1, len(bits), 4096, 0)
    data = b"data" + struct.pack("<Q", 12 + len(samples)) + samples
    return b"DSD " + struct.pack("<QQQ", 28, 28 + len(fmt) + len(data), 0) + fmt + data


def dsdiff(bits: np.ndarray) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack(">Q", len(content)) + content

    channel, rate = chunk(b"CHNL", b"\0\1C   "), chunk(b"FS  ", struct.pack(">I", 2822400))
    kind = chunk(b"CMPR", b"DSD \x0enot compressed\0")
    samples = chunk(b"DSD ", np.packbits(bits).tobytes())
    version = chunk(b"FVER", bytes([1, 5, 0, 0]))
    return chunk(b"FRM8", b"DSD " + version + chunk(b"PROP", b"SND " + rate + channel + kind) + samples)


def sox(wave: np.ndarray) -> bytes:
    samples = (wave.T * 2**31).astype("<i4").tobytes()
    header = struct.pack("<IQdII", 28, wave.size, RATE, len(wave), 0)
    return b".SoX" + header + samples


@pytest.mark.parametrize("kind", ["dsf", "iff", "sox"])
def test_studio_files(kind: str) -> None:
    wave = waveform(3.0, 2, RATE)
    data = sox(wave) if kind == "sox" else dsf(one_bit()) if kind == "dsf" else dsdiff(one_bit())
    if kind == "sox":
        want = preprocess.audio(Audio(wave, rate=RATE))
    else:
        want = preprocess.audio(Audio(decoded(data, kind), rate=352800))
    np.testing.assert_allclose(preprocess.audio(data), want, atol=1e-4)
    with pytest.raises(SourceError, match="truncated"):
        preprocess.audio(data[: len(data) // 2])
