"""Sound tracks of MP4 and MOV, decoded without the interpreter's lock; PyAV decodes what is unusual."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from bindrt import _core
from bindrt.limits import DEFAULT_LIMITS
from bindrt.sources import open_source
from bindrt.sources.formats import sniff
from bindrt.sources.handover import hand_over_ffmpeg
from bindrt.sources.recording import Recording
from bindrt.sources.tracks import open_track
from support.media import waveform, write_video

RATE = 48000


def write(path: Path, seconds: float = 3.0, layout: str = "stereo", rate: int = RATE) -> Path:
    """Tones in AAC."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=rate, layout=layout)
        wave = waveform(seconds, len(av.AudioLayout(layout).channels), rate)
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout=layout)
        frame.sample_rate = rate
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def decoded(source: str | bytes) -> tuple[np.ndarray, Recording]:
    opened = open_source(source)
    recording = open_track(opened, sniff(opened), DEFAULT_LIMITS)
    blocks, end = [], 0
    for start, block in recording.blocks(None):
        assert start == end
        end += len(block)
        blocks.append(block)
    return np.concatenate(blocks), recording


def require_core() -> None:
    if not hand_over_ffmpeg():
        pytest.skip("this FFmpeg is of another version")


@pytest.mark.parametrize(
    ("layout", "rate", "seconds"), [("mono", 16000, 3.0), ("stereo", 44100, 9.0), ("5.1", 48000, 2.0)]
)
def test_the_core_decodes_what_pyav_decodes(layout: str, rate: int, seconds: float, tmp_path: Path) -> None:
    """Bytes are read by PyAV."""
    path = write(tmp_path / "sound.m4a", seconds, layout, rate)
    found, _ = decoded(str(path))
    expected, _ = decoded(path.read_bytes())
    np.testing.assert_array_equal(found, expected)
    require_core()
    track = _core.OrdinaryTrack.open(os.fsencode(path), 0, rate, 10_000)
    assert track is not None
    count = 0
    while track.has_more:
        block = track.read(10_000)
        assert block.dtype == np.float32
        count += block.shape[1]
    assert track.is_whole
    assert count == len(expected)
    with pytest.raises(ValueError, match="read to its end"):
        track.read(1)


def test_damage_is_left_to_pyav(tmp_path: Path) -> None:
    path = write(tmp_path / "sound.m4a", 20.0)
    whole, _ = decoded(str(path))
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + len(data) // 2
    data[middle : middle + 3000] = bytes(range(250)) * 12
    path.write_bytes(data)
    found, recording = decoded(str(path))
    expected, other = decoded(bytes(data))
    np.testing.assert_array_equal(found, expected)
    assert recording.damage.lost == other.damage.lost > 0
    assert not np.array_equal(found, whole)


def test_what_the_core_does_not_read(tmp_path: Path) -> None:
    require_core()
    mkv = write_video(tmp_path / "film.mkv", audio="aac")
    m4a = write(tmp_path / "sound.m4a", 1.0)
    assert _core.OrdinaryTrack.open(os.fsencode(mkv), 1, RATE, 10_000) is None
    assert _core.OrdinaryTrack.open(os.fsencode(m4a), 1, RATE, 10_000) is None  # there is no such stream
    assert _core.OrdinaryTrack.open(os.fsencode(m4a), 0, RATE, 3) is None  # it has more packets
    assert _core.OrdinaryTrack.open(b"/no/such/file", 0, RATE, 10_000) is None
    other_rate = _core.OrdinaryTrack.open(os.fsencode(m4a), 0, 44100, 10_000)
    assert other_rate is not None
    assert other_rate.read(1).shape == (0, 0)
    assert not other_rate.has_more
    assert not other_rate.is_whole
