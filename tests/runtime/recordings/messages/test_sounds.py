"""Sounds of messages: samples of every format, AudioInfo on its own topic, Opus and AAC packets, MP3."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from foxglove_schemas_protobuf.CompressedAudio_pb2 import CompressedAudio
from foxglove_schemas_protobuf.RawAudio_pb2 import RawAudio

from bindrt.recordings import Choice, Recording, Sample
from support import media
from support.recordings import (
    BEGIN,
    SECOND,
    Said,
    make,
    timestamp,
    write_bag1,
    write_json,
    write_mcap,
    write_protobuf,
)

RATE = 16000
BLOCK = RATE // 10
WAVE = media.waveform(1.0, 2, RATE)


def blocks(wave: np.ndarray = WAVE) -> Iterator[np.ndarray]:
    for at in range(0, wave.shape[1], BLOCK):
        yield wave[:, at : at + BLOCK]


def joined(samples: list[Sample]) -> np.ndarray:
    return np.concatenate([sample.data.src for sample in samples], axis=1)


def interleaved(block: np.ndarray, dtype: str) -> np.ndarray:
    kind = np.dtype(dtype)
    values = block.T.astype(np.float64)
    if kind.kind != "f":
        values = np.rint(values * 2.0 ** (8 * kind.itemsize - 1)) + (128 if kind.kind == "u" else 0)
    return np.frombuffer(np.ascontiguousarray(values).astype(kind).tobytes(), np.uint8)


FORMATS = {
    "S16LE": "<i2",
    "S16BE": ">i2",
    "S32LE": "<i4",
    "F32LE": "<f4",
    "F64LE": "<f8",
    "U8": "u1",
    "S8": "i1",
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("version", [1, 2])
def test_audio_data_with_its_info(form: str, version: int, tmp_path: Path) -> None:
    """The first block comes before the info: it waits."""
    info = make(
        "audio_common_msgs/msg/AudioInfo", version, channels=2, sample_rate=RATE, sample_format=form,
        coding_format="wave",
    )  # fmt: skip
    said = [
        Said("/mic/audio", BEGIN + (i + 1) * SECOND // 10, make("audio_common_msgs/msg/AudioData", version,
             data=interleaved(block, FORMATS[form])))
        for i, block in enumerate(blocks())
    ]  # fmt: skip
    said.insert(1, Said("/mic/audio_info", said[0].time + 1, info))
    path = write_mcap(tmp_path / "r", said) if version == 2 else write_bag1(tmp_path / "r.bag", said)
    with Recording(path) as recording:
        samples = list(recording.samples())
    assert recording.report.lines() == []
    assert {s.data.rate for s in samples} == {RATE}
    found = joined(samples)
    assert found.dtype == (np.int16 if form.startswith("S16") else np.float32)
    scale = 1 / 32768 if found.dtype == np.int16 else 1
    np.testing.assert_allclose(found * scale, WAVE, atol=1 / 128 if "8" in form.strip("F64LE") else 1e-4)
    # A block without a stamp was recorded when it was complete; they follow on each other.
    np.testing.assert_allclose([s.time - BEGIN / SECOND for s in samples], np.arange(10) / 10, atol=1e-6)


def test_blocks_without_stamps_follow_on_each_other(tmp_path: Path) -> None:
    late = [0.1, 0.2, 0.39, 0.41, 0.5, 1.6, 1.7]  # the third comes late; before the sixth a second is missing
    said = [
        Said("/audio", BEGIN + round(t * SECOND), make("audio_common_msgs/msg/AudioData",
             data=np.zeros(2 * BLOCK, np.uint8)))
        for t in late
    ]  # fmt: skip
    choice = {"/audio": Choice("audio", {"rate": RATE, "channels": 1})}
    with Recording(write_mcap(tmp_path / "r.mcap", said)) as recording:
        times = [s.time - BEGIN / SECOND for s in recording.samples(choice)]
    np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.3, 0.4, 1.5, 1.6], atol=1e-6)


def test_a_stamp_is_the_time(tmp_path: Path) -> None:
    said = [
        Said("/audio", BEGIN + i, make("audio_common_msgs/msg/AudioDataStamped", stamp=BEGIN + i * SECOND,
             audio__data=np.zeros(2 * BLOCK, np.uint8)))
        for i in range(3)
    ]  # fmt: skip
    with Recording(write_mcap(tmp_path / "r.mcap", said)) as recording:
        samples = list(recording.samples({"/audio": Choice("audio", {"rate": RATE, "channels": 1})}))
    np.testing.assert_allclose([s.time - BEGIN / SECOND for s in samples], [0, 1, 2], atol=1e-6)


def test_bytes_that_nothing_describes_are_named(tmp_path: Path) -> None:
    message = make("audio_common_msgs/msg/AudioData", data=np.zeros(100, np.uint8))
    with Recording(write_mcap(tmp_path / "r.mcap", [Said("/audio", BEGIN, message)] * 3)) as recording:
        assert list(recording.samples()) == []
    (line,) = recording.report.lines()
    assert "/audio: 3 messages could not be read; no AudioInfo says" in line
    assert "--topic TOPIC=audio,rate=16000" in line


def test_foxglove_raw_audio(tmp_path: Path) -> None:
    def fields(i: int, block: np.ndarray) -> dict[str, Any]:
        data = interleaved(block, "<i2").tobytes()
        return {"data": data, "format": "pcm-s16", "sample_rate": RATE, "number_of_channels": 2}

    stamps = [BEGIN + i * SECOND // 10 for i in range(10)]
    protobuf = [
        ("/mic", t + 5, RawAudio(timestamp=timestamp(t), **fields(i, b)))
        for i, (t, b) in enumerate(zip(stamps, blocks(), strict=True))
    ]
    as_json = [
        (
            "/mic",
            "foxglove.RawAudio",
            t + 5,
            {"timestamp": {"sec": t // SECOND, "nsec": t % SECOND}, **fields(i, b)},
        )
        for i, (t, b) in enumerate(zip(stamps, blocks(), strict=True))
    ]
    ros = [
        Said("/mic", t + 5, make("foxglove_msgs/msg/RawAudio", stamp=t,
             **{**fields(i, b), "data": interleaved(b, "<i2")}))
        for i, (t, b) in enumerate(zip(stamps, blocks(), strict=True))
    ]  # fmt: skip
    for path in (
        write_protobuf(tmp_path / "p.mcap", protobuf),
        write_json(tmp_path / "j.mcap", as_json),
        write_mcap(tmp_path / "r.mcap", ros),
    ):
        with Recording(path) as recording:
            samples = list(recording.samples())
        assert recording.report.lines() == [], path
        np.testing.assert_allclose(joined(samples) / 32768, WAVE, atol=1e-4)
        np.testing.assert_allclose([s.time - BEGIN / SECOND for s in samples], np.arange(10) / 10, atol=1e-6)


def packets(codec: str, rate: int, channels: int) -> list[bytes]:
    """A tone as packets of an encoder of FFmpeg."""
    context: Any = av.CodecContext.create(codec, "w")
    context.sample_rate, context.layout = rate, "stereo" if channels == 2 else "mono"
    context.format = context.codec.audio_formats[0]
    context.time_base = Fraction(1, rate)
    context.open()
    fifo = av.AudioFifo()
    frame = av.AudioFrame.from_ndarray(
        media.waveform(1.0, channels, rate), format="fltp", layout=context.layout.name
    )
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    resampler = av.AudioResampler(context.format.name, context.layout.name, rate)
    for part in resampler.resample(frame):
        fifo.write(part)
    found = []
    while (part := fifo.read(context.frame_size)) is not None:
        found += context.encode(part)
    return [bytes(packet) for packet in [*found, *context.encode(None)]]


def adts(packet: bytes, rate: int, channels: int) -> bytes:
    """The header of an AAC-LC frame, by ISO/IEC 14496-3."""
    index = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000].index(rate)
    length = len(packet) + 7
    head = 0xFFF1 << 40 | 1 << 38 | index << 34 | channels << 30 | length << 13 | 0x7FF << 2
    return head.to_bytes(7, "big") + packet


@pytest.mark.parametrize(("codec", "form", "rate"), [("libopus", "opus", 48000), ("aac", "mp4a.40.2", 48000)])
@pytest.mark.parametrize("channels", [1, 2])
def test_compressed_audio(codec: str, form: str, rate: int, channels: int, tmp_path: Path) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    encoded = packets(codec, rate, channels)
    if codec == "aac":
        encoded = [adts(packet, rate, channels) for packet in encoded]
    messages = [
        (
            "/mic",
            BEGIN + i,
            CompressedAudio(timestamp=timestamp(BEGIN + i * SECOND // 50), data=packet, format=form),
        )
        for i, packet in enumerate(encoded)
    ]
    with Recording(write_protobuf(tmp_path / "r.mcap", messages)) as recording:
        samples = list(recording.samples())
    assert recording.report.lines() == []
    found = joined(samples)
    assert found.shape[0] == channels
    assert {s.data.rate for s in samples} == {rate}
    want = media.waveform(1.0, channels, rate)
    assert abs(found.shape[1] - want.shape[1]) < 5000
    level = [float(np.sqrt((w[:, 5000:40000].astype(float) ** 2).mean())) for w in (found, want)]
    assert level[0] == pytest.approx(level[1], rel=0.1)


def test_a_damaged_packet_is_counted_and_the_next_are_read(tmp_path: Path) -> None:
    encoded = [adts(packet, 48000, 1) for packet in packets("aac", 48000, 1)]
    encoded[10] = encoded[10][:9] + b"\xff" * 40
    messages = [
        ("/mic", BEGIN + i, CompressedAudio(data=p, format="mp4a.40.2")) for i, p in enumerate(encoded)
    ]
    messages.insert(5, ("/mic", BEGIN + 4, CompressedAudio(data=b"?", format="speex")))
    with Recording(write_protobuf(tmp_path / "r.mcap", messages)) as recording:
        samples = list(recording.samples())
    count, first = recording.report.failed["/mic"]
    assert count >= 1
    assert "'speex' is no coding of sound" in first
    assert len(samples) > 30


def test_mp3_of_audio_capture_tells_itself(tmp_path: Path) -> None:
    if "libmp3lame" not in av.codecs_available:
        pytest.skip("this FFmpeg writes no MP3")
    stream = b"".join(packets("libmp3lame", 44100, 1))
    said = [
        Said("/audio", BEGIN + i * SECOND // 50, make("audio_common_msgs/msg/AudioData",
             data=np.frombuffer(stream[at : at + 400], np.uint8)))
        for i, at in enumerate(range(0, len(stream), 400))
    ]  # fmt: skip
    info = make("audio_common_msgs/msg/AudioInfo", channels=1, sample_rate=44100, coding_format="mp3")
    for some in ([], [Said("/audio_info", BEGIN, info)]):
        with Recording(write_mcap(tmp_path / "r.mcap", [*some, *said])) as recording:
            found = joined(list(recording.samples()))
        assert abs(found.shape[1] - 44100) < 5000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": "pcm-s24"}, "no format of samples"),
        ({"number_of_channels": 0}, "0 channels"),
        ({"number_of_channels": 65}, "65 channels"),
        ({"sample_rate": 0}, "0 Hz"),
        ({"data": b"123"}, "3 bytes are no whole number of samples"),
    ],
)
def test_sounds_that_are_not_what_they_say(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    good: dict[str, Any] = {
        "data": bytes(400),
        "format": "pcm-s16",
        "sample_rate": RATE,
        "number_of_channels": 2,
    }
    messages = [("/mic", BEGIN, RawAudio(**{**good, **fields})), ("/mic", BEGIN + 1, RawAudio(**good))]
    with Recording(write_protobuf(tmp_path / "r.mcap", messages)) as recording:
        samples = list(recording.samples())
    assert len(samples) == 1
    assert message in recording.report.failed["/mic"][1]
