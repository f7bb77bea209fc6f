"""Videos that csrc/prepare prepares without the interpreter's lock, against Python's way; what it leaves."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bindrt import Video, _core
from bindrt.limits import Limits
from bindrt.sources.handover import hand_over_ffmpeg
from support import both_ways
from support.media import write_video

pytestmark = pytest.mark.skipif(
    av.library_versions["libavformat"][0] not in (62, 63),
    reason="Python reads all videos of other versions of FFmpeg",
)

#: Videos that are ordinary, by their names.
ORDINARY: dict[str, dict[str, Any]] = {
    "plain.mp4": {},
    "groups.mp4": {"count": 150, "fps": 25, "options": {"g": "12", "bf": "3"}},
    "open_groups.mp4": {"count": 60, "options": {"x264-params": "keyint=8:open-gop=1:bframes=2"}},
    "no_b_frames.mov": {"options": {"bf": "0"}},
    "sound.mp4": {"audio": "aac", "count": 75},
    "sound.mkv": {"audio": "libopus", "count": 75},
    "odd.mkv": {"size": (98, 54)},
    "square.mp4": {"size": (80, 80)},
    "tall.mp4": {"size": (72, 128)},
    "brief.mp4": {"count": 1, "options": {"bf": "0"}},
    "two.mp4": {"count": 2, "options": {"bf": "0"}},
    "slow.mp4": {"count": 12, "fps": 1, "options": {"bf": "0"}},
    "ntsc.mp4": {"count": 90, "fps": Fraction(30000, 1001)},
    "fragments.mp4": {"container": {"movflags": "frag_keyframe+empty_moov"}, "options": {"g": "10"}},
    "turned.mp4": {"rotation": 90},
    "turned.mov": {"rotation": 180},
    "ignored.mkv": {"rotation": 270},
    "mpeg4.mp4": {"codec": "mpeg4", "options": {"bf": "2"}},
    "vp9.webm": {"codec": "libvpx-vp9", "count": 20},
    "full_range.mp4": {"pix_fmt": "yuvj420p"},
}
ITEMS: list[dict[str, Any]] = [
    {},
    {"views": 5},
    {"views": 3, "start": 0.5},
    {"views": 1, "start": 0, "end": 0.4},
    {"start": 0.25, "end": 1},
]


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary(name: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / name, **ORDINARY[name])
    long = ORDINARY[name].get("count", 45) > 12
    for options in ITEMS if long else ITEMS[:2]:
        assert both_ways.is_ordinary("video", Video(path, **options)), options
    assert both_ways.is_ordinary("video", path.read_bytes())


#: Videos that are left to Python.
LEFT: dict[str, dict[str, Any]] = {
    "container.avi": {"codec": "mpeg4"},
    "container.ts": {},
    "ten_bits.mp4": {"pix_fmt": "yuv420p10le"},
    "chroma.mp4": {"pix_fmt": "yuv444p"},
    "fields.mp4": {"options": {"x264-params": "interlaced=1"}},
    "perhaps_reordered.mp4": {"count": 1},  # the header says so, and no packet shows it
    "sound_alone.mp4": {"codec": None, "audio": "aac"},
}


@pytest.mark.parametrize("name", LEFT)
def test_other_files_are_left(name: str, tmp_path: Path) -> None:
    assert not both_ways.is_ordinary("video", write_video(tmp_path / name, **LEFT[name]))


def test_options_damage_and_limits_are_left(tmp_path: Path) -> None:
    path = write_video(tmp_path / "plain.mp4", options={"g": "10"})
    data = path.read_bytes()
    assert both_ways.is_ordinary("video", data)
    first = data.index(b"mdat") + 800  # behind what the encoder says of itself
    torn = data[:first] + bytes(1500) + data[first + 1500 :]
    damaged = {"cut": data[:-800], "torn": torn, "missing": tmp_path / "no.mp4"}
    assert both_ways.left("video", damaged) == set(damaged)
    odd = {
        "strict": Video(path, strict=True),
        "another number of views": Video(path, views=4),
        "views that are no whole number": Video(path, views=5.0),  # type: ignore[arg-type]
        "behind the end": Video(path, start=100),
        "backwards": Video(path, start=1, end=0.5),
        "a rate": Video(path, fps=25),
        "frames": Video(np.zeros((9, 48, 64, 3), np.uint8), fps=25),
    }
    assert both_ways.left("video", odd) == set(odd)
    for limits in (Limits(max_pixels=3000), Limits(max_seconds=2), Limits(max_packets=20)):
        assert not both_ways.is_ordinary("video", path, limits)


def test_two_videos_in_a_file_are_left(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "two.mkv"), "w") as media:
        streams: list[Any] = [media.add_stream("mpeg4", rate=10) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            for stream in streams:
                media.mux(stream.encode(frame))
        for stream in streams:
            media.mux(stream.encode())
    assert not both_ways.is_ordinary("video", tmp_path / "two.mkv")


def test_libraries_of_another_kind_are_refused() -> None:
    assert hand_over_ffmpeg()
    assert _core.use_ffmpeg("/no/such/module")  # the first one stays
