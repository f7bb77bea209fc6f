"""Frames are counted in the order in which they are shown, also where a container does not store it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bindrt import Video, preprocess
from bindrt.sources import open_source
from bindrt.sources.groups import PacketTable, plan_decoding
from bindrt.sources.video import probe
from support.media import decoded, write_video

B_FRAMES = {"bf": "3", "g": "100"}
MPEG = {"bf": "2", "g": "20"}


@pytest.mark.parametrize(
    ("name", "codec", "options", "is_told"),
    [
        ("h264.avi", "libx264", B_FRAMES, False),
        ("plain.avi", "libx264", {"bf": "0"}, False),
        ("mpeg4.avi", "mpeg4", MPEG, True),
        ("mpeg2.avi", "mpeg2video", MPEG, True),
        ("h264.asf", "libx264", B_FRAMES, False),
        ("mpeg4.asf", "mpeg4", MPEG, True),
        ("h264.mpg", "libx264", B_FRAMES, False),
        ("mpeg2.mpg", "mpeg2video", MPEG, True),
        ("mpeg2.mp4", "mpeg2video", MPEG, True),
        ("h264.ts", "libx264", B_FRAMES, True),
        ("h264.flv", "libx264", B_FRAMES, True),
        ("h264.mp4", "libx264", {"bf": "0", "g": "20"}, True),
        ("h264.nut", "libx264", B_FRAMES, True),
    ],
)
def test_times_of_decoding_are_not_taken_for_those_of_showing(
    name: str, codec: str, options: dict[str, str], is_told: bool, tmp_path: Path
) -> None:
    """Where the container does not tell the order, all frames are decoded and counted."""
    path = write_video(tmp_path / name, codec, count=200, fps=25, options=options)
    clip = probe(open_source(path))
    assert clip.frames == 200
    assert (plan_decoding(clip.packets, [0]) is not None) is is_told
    frames = decoded(path)
    np.testing.assert_array_equal(preprocess.video(path), preprocess.video(Video(frames, fps=clip.fps)))


def test_frames_that_come_out_in_another_order_are_not_planned_by_time(tmp_path: Path) -> None:
    """A container that knows no better: its table of times is the order of decoding."""
    path = write_video(tmp_path / "h264.avi", "libx264", count=100, options=B_FRAMES)
    clip = probe(open_source(path))
    clip.packets.reliable = True
    found: dict[int, np.ndarray] = {}
    clip.read([1, 2, 3, 50], lambda index, frame: found.update({index: frame.rgb()}))
    whole = decoded(path)
    for index, pixels in found.items():
        np.testing.assert_array_equal(pixels, whole[index])


def test_two_recordings_in_one_file_are_not_mixed(tmp_path: Path) -> None:
    """The times of a transport stream begin anew where another was appended."""
    first = write_video(tmp_path / "a.ts", count=100, fps=25, options={"g": "25"})
    second = write_video(tmp_path / "b.ts", count=100, fps=30, options={"g": "25"})
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    clip = probe(open_source(both))
    assert clip.frames == 200
    expected = preprocess.video(Video(decoded(both), fps=clip.fps))
    np.testing.assert_array_equal(preprocess.video(both), expected)


def test_an_order_that_no_codec_has() -> None:
    table = PacketTable()
    for time in (*range(0, 200, 2), *range(1, 201, 2)):
        table.add(time, True, True)
    assert table.reordered
    assert table.shown() is None
