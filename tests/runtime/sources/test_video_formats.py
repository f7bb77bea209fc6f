"""Videos of every format, right or damaged."""

from __future__ import annotations

import struct
from array import array
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bindrt import LimitError, Limits, SourceError, Video, preprocess
from bindrt.sources import open_source
from bindrt.sources.frames import Frame, LostError, decode_plan
from bindrt.sources.groups import PacketTable, plan_decoding
from bindrt.sources.video import open_clip, probe
from support.media import decoded, frames, picture_bytes, sound_bytes, write_video

FORMATS = [
    ("video.mp4", "libx264", {}),
    ("mpeg4.mp4", "mpeg4", {}),
    ("video.mkv", "libx264", {}),
    ("vp8.webm", "libvpx", {}),
    ("vp9.webm", "libvpx-vp9", {"speed": "8"}),
    ("video.avi", "mpeg4", {}),
    ("h264.avi", "libx264", {"bf": "0"}),
]


@pytest.mark.parametrize(("name", "codec", "options"), FORMATS)
def test_as_pyav_decodes_it(name: str, codec: str, options: dict[str, str], tmp_path: Path) -> None:
    path = write_video(tmp_path / name, codec, options=options)
    clip = probe(open_source(path))
    assert (clip.frames, clip.fps) == (45, 15)
    expected = preprocess.video(Video(decoded(path), fps=15))
    np.testing.assert_array_equal(preprocess.video(path), expected)
    hidden = path.rename(path.with_suffix(".txt"))
    np.testing.assert_array_equal(preprocess.video(hidden.read_bytes()), expected)
    with hidden.open("rb") as file:
        np.testing.assert_array_equal(preprocess.video(file), expected)


@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
def test_decoded_pixels_are_those_encoded(codec: str, tmp_path: Path) -> None:
    name = "video.mp4" if codec == "libx264" else "video.webm"
    path = write_video(tmp_path / name, codec, options={"crf": "4", "b": "4M"})
    expected = preprocess.video(Video(frames(45), fps=15))
    assert np.abs(preprocess.video(path) - expected).mean() < 0.1


@pytest.mark.parametrize(("name", "codec", "options"), FORMATS)
def test_truncated(name: str, codec: str, options: dict[str, str], tmp_path: Path) -> None:
    data = write_video(tmp_path / name, codec, options=options).read_bytes()
    for keep in (len(data) // 2, 200, 16):
        with pytest.raises(SourceError):
            preprocess.video(data[:keep])


def test_truncated_with_the_index_in_front(tmp_path: Path) -> None:
    path = write_video(tmp_path / "fast.mp4", container={"movflags": "faststart"})
    data = path.read_bytes()
    with pytest.raises(SourceError, match=r"truncated|cannot"):
        preprocess.video(data[: len(data) * 2 // 3])


MATRICES = {-90: (0, 1, -1, 0), 90: (0, -1, 1, 0), 180: (-1, 0, 0, -1)}


@pytest.mark.parametrize("turn", MATRICES)
def test_rotation_as_decord(turn: int, tmp_path: Path) -> None:
    """decord turns an MP4's frames as the matrix in its track header says."""
    path = write_video(tmp_path / "turned.mp4")
    turned = [np.rot90(f, turn // 90) for f in decoded(path)]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    a, b, c, d = (n << 16 for n in MATRICES[turn])
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    np.testing.assert_array_equal(preprocess.video(bytes(data)), preprocess.video(Video(turned, fps=15)))


@pytest.mark.skipif(
    not hasattr(av.VideoStream, "set_display_rotation"), reason="PyAV before 18 cannot write it"
)
def test_rotation_in_matroska_is_left_alone_as_decord_does(tmp_path: Path) -> None:
    path = write_video(tmp_path / "turned.mkv", rotation=90)
    np.testing.assert_array_equal(preprocess.video(path), preprocess.video(Video(decoded(path), fps=15)))


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "sound.mp4", None, audio="aac")
    with pytest.raises(SourceError, match="no video stream"):
        preprocess.video(path)
    for data in (sound_bytes("WAV"), sound_bytes("OGG"), picture_bytes("PNG")):
        with pytest.raises(SourceError):
            preprocess.video(data)


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with_cover(path)
    with pytest.raises(SourceError, match="no video stream"):
        preprocess.video(path)
    assert preprocess.audio(path).shape == (3, 1, 128, 204)


def with_cover(path: Path) -> None:
    """Sound with an attached picture."""
    plain = write_video(path.with_name("plain.m4a"), None, audio="aac")
    with av.open(str(plain)) as source, av.open(str(path), "w", format="mp4") as out:
        sound = out.add_stream_from_template(source.streams.audio[0])
        cover: Any = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        for packet in cover.encode(av.VideoFrame.from_ndarray(frames(1)[0], format="rgb24")):
            out.mux(packet)
        for packet in cover.encode():
            out.mux(packet)
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = sound
                out.mux(packet)


def test_limits(tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mp4")
    with pytest.raises(LimitError, match="64 x 48"):
        preprocess.video(path, limits=Limits(max_pixels=1000))
    with pytest.raises(LimitError, match="longer than the limit"):
        preprocess.video(path, limits=Limits(max_seconds=1))


@pytest.mark.parametrize("fps", [1, 5, Fraction(30000, 1001), 60])
def test_frame_rates(fps: int | Fraction, tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mkv", count=40, fps=fps)
    expected = preprocess.video(Video(decoded(path), fps=float(fps)))
    np.testing.assert_array_equal(preprocess.video(path), expected)


def test_one_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mp4", count=1)
    out = preprocess.video(path)
    np.testing.assert_array_equal(out[:, :, 0], out[:, :, 1])


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("open.mp4", "libx264", {"g": "30", "bf": "3", "x264-params": "open-gop=1:scenecut=0"}),
        ("open.mkv", "libx264", {"g": "25", "bf": "8", "x264-params": "open-gop=1:scenecut=0:b-pyramid=2"}),
        ("closed.mkv", "libx264", {"g": "12", "bf": "2"}),
        ("refresh.mkv", "libx264", {"g": "40", "x264-params": "intra-refresh=1"}),
        (
            "pyramid.mp4",
            "libx264",
            {"bf": "7", "x264-params": "b-pyramid=2:b-adapt=0:ref=8:weightp=2:keyint=60"},
        ),
        ("strict.mkv", "libx264", {"bf": "5", "x264-params": "b-pyramid=1:b-adapt=0:slices=3:keyint=90"}),
        ("fields.mp4", "libx264", {"x264-params": "interlaced=1:keyint=30", "bf": "2"}),
        ("hevc.mp4", "libx265", {"x265-params": "keyint=40:bframes=4:log-level=none"}),
        ("layers.mkv", "libx265", {"x265-params": "keyint=40:temporal-layers=3:log-level=none"}),
        ("av1.mp4", "libsvtav1", {"preset": "12", "g": "40"}),
        ("single.avi", "mpeg4", {"g": "20", "bf": "2"}),
        ("alt.webm", "libvpx", {"g": "40", "auto-alt-ref": "1", "lag-in-frames": "16"}),
        ("alt9.webm", "libvpx-vp9", {"g": "40", "auto-alt-ref": "1", "lag-in-frames": "16", "speed": "8"}),
    ],
)
def test_skipping_groups_changes_nothing(
    name: str, codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = write_video(tmp_path / name, codec, count=400, fps=10, options=options)
    whole = decoded(path)
    assert len(whole) == 400
    clip = probe(open_source(path))
    rng = np.random.default_rng(0)
    some = [sorted(map(int, rng.choice(400, 7, replace=False))) for _ in range(5)]
    for wanted in ([0, 19, 95, 114, 399], [29, 30, 31], [25, 200], [399], *some):
        found: dict[int, Frame] = {}
        read = clip.read(wanted, found.__setitem__)
        assert sorted(read.found) == sorted(found) == wanted
        for index in wanted:
            np.testing.assert_array_equal(found[index].rgb(), whole[index])


def test_groups_that_nobody_wants_are_not_decoded(tmp_path: Path) -> None:
    options = {"g": "10", "x264-params": "scenecut=0"}
    path = write_video(tmp_path / "long.mp4", count=400, fps=10, options=options)
    packets = probe(open_source(path)).packets
    needed = plan_decoding(packets, [0, 19, 200, 399], short=False)
    assert needed is not None
    assert needed.runs == [range(20), range(200, 210), range(390, 400)]
    shorter = plan_decoding(packets, [0, 19, 200, 399])
    assert shorter is not None
    assert shorter.runs[0] == range(1)  # the key alone
    assert shorter.runs[2] == range(200, 201)
    assert shorter.packets == {packets.position(time) for time in needed.index}
    expected = preprocess.video(Video(decoded(path), fps=10))
    np.testing.assert_array_equal(preprocess.video(path), expected)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("long.mp4", "libx264", {"g": "20"}),
        ("long.mkv", "libx264", {"g": "20", "x264-params": "open-gop=1"}),
        ("long.webm", "libvpx", {"g": "20"}),
        ("long.avi", "mpeg4", {"g": "20"}),
    ],
)
def test_seeking_in_the_open_container(
    name: str, codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = write_video(tmp_path / name, codec, count=400, fps=10, options=options)
    whole = decoded(path)
    wanted = [0, 3, 150, 151, 399]
    with open_clip(open_source(path)) as clip:
        groups = plan_decoding(clip.packets, wanted)
        assert groups is not None
        sought = list(decode_plan(clip.media, clip.media.streams.video[0], clip.packets, groups, fresh=False))
        assert {groups.index.get(frame.pts) for frame in sought} >= set(wanted)
        for _ in range(2):  # the decoder and the container can be used again
            found: dict[int, Frame] = {}
            assert clip.read(wanted, found.__setitem__).decoded == 400
            for index in wanted:
                np.testing.assert_array_equal(found[index].rgb(), whole[index])


def test_a_container_that_leads_elsewhere(tmp_path: Path) -> None:
    """Packets that are not those that were counted are not decoded; the file is read anew."""
    path = write_video(tmp_path / "video.mp4", count=100, fps=10, options={"g": "10"})
    whole = decoded(path)
    other = write_video(tmp_path / "other.mp4", count=100, fps=10, options={"g": "10", "crf": "40"})
    with open_clip(open_source(path)) as clip, open_clip(open_source(other)) as wrong:
        groups = plan_decoding(clip.packets, [0, 99])
        assert groups is not None
        with pytest.raises(LostError):
            list(decode_plan(wrong.media, wrong.media.streams.video[0], clip.packets, groups, fresh=False))
        found: dict[int, Frame] = {}
        replace(clip, media=wrong.media).read([0, 99], found.__setitem__)
        for index in (0, 99):
            np.testing.assert_array_equal(found[index].rgb(), whole[index])


def test_pictures_that_none_refers_to_are_skipped(tmp_path: Path) -> None:
    options = {"bf": "3", "x264-params": "b-adapt=0:keyint=200:scenecut=0"}
    path = write_video(tmp_path / "video.mp4", count=120, fps=10, options=options)
    with open_clip(open_source(path)) as clip:
        groups = plan_decoding(clip.packets, [0, 119])
        assert groups is not None
        assert sum(map(len, groups.runs)) > 110
        shown = list(decode_plan(clip.media, clip.media.streams.video[0], clip.packets, groups, fresh=False))
        assert len(shown) < 70
        assert {groups.index.get(frame.pts) for frame in shown} >= {0, 119}


def test_times_that_cannot_be_relied_on() -> None:
    good = PacketTable()
    for time, key in ((0, True), (3, False), (1, False), (2, False), (8, True), (5, False)):
        good.add(time, key, True)
    needed = plan_decoding(good, [4])  # shown before its group's key: refers to the group before
    assert needed is not None
    assert needed.index == {5: 4}
    assert needed.runs == [range(6)]
    for time, shown in ((None, True), (9, False), (5, True)):
        table = PacketTable(array("q", good.times), array("q", good.keys))
        table.add(time, False, shown)
        assert plan_decoding(table, [0]) is None
    assert plan_decoding(PacketTable(array("q", [1, 2]), array("q", [1])), [0]) is None
