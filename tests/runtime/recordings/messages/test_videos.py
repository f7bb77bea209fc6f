"""CompressedVideo: frames of FFmpeg's encoders, a packet a message, come back with their times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from foxglove_schemas_protobuf.CompressedVideo_pb2 import CompressedVideo

from bindrt.recordings import Choice, Recording
from support import media
from support.recordings import BEGIN, SECOND, timestamp, write_protobuf

FRAMES = media.frames(20, 64, 48)
ENCODERS = {
    "h264": ("libx264", {"tune": "zerolatency", "x264-params": "keyint=10:bframes=0:repeat-headers=1"}),
    "h265": (
        "libx265",
        {"tune": "zerolatency", "x265-params": "keyint=10:bframes=0:repeat-headers=1:log-level=none"},
    ),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}),
    "av1": ("libsvtav1", {"preset": "12", "svtav1-params": "pred-struct=1:lookahead=0"}),
}


def packets(form: str) -> list[bytes]:
    encoder, options = ENCODERS[form]
    if encoder not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {encoder}")
    context: Any = av.CodecContext.create(encoder, "w")
    context.width, context.height, context.pix_fmt, context.framerate = 64, 48, "yuv420p", 10
    context.time_base = 1 / context.framerate
    context.options = options
    found = []
    for frame in FRAMES:
        found += context.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
    return [bytes(packet) for packet in [*found, *context.encode(None)]]


def recorded(path: Path, form: str, data: list[bytes]) -> Path:
    return write_protobuf(
        path,
        [
            (
                "/camera/video",
                BEGIN + i * SECOND // 10,
                CompressedVideo(timestamp=timestamp(BEGIN + i * SECOND // 10 - 7), data=packet, format=form),
            )
            for i, packet in enumerate(data)
        ],
    )


@pytest.mark.parametrize("form", ENCODERS)
def test_frames_with_their_times(form: str, tmp_path: Path) -> None:
    data = packets(form)
    with Recording(recorded(tmp_path / "r.mcap", form, data)) as recording:
        samples = list(recording.samples())
    assert recording.report.lines() == []
    assert {s.modality for s in samples} == {"video"}
    assert len(samples) == len(FRAMES)
    np.testing.assert_allclose([s.time - BEGIN / SECOND for s in samples], np.arange(20) / 10, atol=1e-6)
    for sample, frame in zip(samples, FRAMES, strict=True):
        assert np.abs(sample.data.src.astype(int) - frame).mean() < 12


def test_as_images(tmp_path: Path) -> None:
    with Recording(recorded(tmp_path / "r.mcap", "h264", packets("h264"))) as recording:
        samples = list(recording.samples({"/camera/video": Choice("image")}))
    assert {s.modality for s in samples} == {"image"}


def test_a_recording_that_begins_between_key_frames(tmp_path: Path) -> None:
    """What cannot be decoded is counted; from the next key frame on all is there."""
    data = packets("h264")[4:]
    with Recording(recorded(tmp_path / "r.mcap", "h264", data)) as recording:
        samples = list(recording.samples())
    assert len(samples) >= 10
    for sample, frame in zip(samples[-10:], FRAMES[-10:], strict=True):
        assert np.abs(sample.data.src.astype(int) - frame).mean() < 12


def test_damage_is_counted(tmp_path: Path) -> None:
    data = packets("h264")
    data[0] = b"\0\0\0\1\x65" + bytes(50)
    data[3] = b"no video at all"
    with Recording(recorded(tmp_path / "r.mcap", "h264", data)) as recording:
        samples = list(recording.samples())
    assert "/camera/video" in recording.report.failed
    assert len(samples) >= 9


def test_an_unknown_coding(tmp_path: Path) -> None:
    with Recording(recorded(tmp_path / "r.mcap", "theora", [b"123"])) as recording:
        assert list(recording.samples()) == []
    assert "'theora' is no coding of video" in recording.report.failed["/camera/video"][1]
