"""Every container that FFmpeg reads: its frames are those of a full decode; one that ends early says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bindrt import SourceError, Video, preprocess
from bindrt.sources import open_source
from bindrt.sources.content import Content
from bindrt.sources.formats import sniff
from bindrt.sources.video import probe
from support.media import decoded, write_video

#: File name, codec, its options, and whether a file that ends early can be told.
CONTAINERS: list[tuple[str, str, dict[str, str], bool]] = [
    ("h264.ts", "libx264", {"bf": "2"}, False),
    ("h265.ts", "libx265", {"x265-params": "log-level=none"}, False),
    ("mpeg2.ts", "mpeg2video", {"bf": "2"}, False),
    ("h264.m2ts", "libx264", {"bf": "2"}, False),
    ("mpeg1.mpg", "mpeg1video", {"bf": "2"}, False),
    ("mpeg2.vob", "mpeg2video", {"bf": "2"}, False),
    ("h264.flv", "libx264", {"bf": "2"}, True),
    ("sorenson.flv", "flv", {}, True),
    ("h264.f4v", "libx264", {}, True),
    ("wmv1.wmv", "wmv1", {}, True),
    ("wmv2.wmv", "wmv2", {}, True),
    ("msmpeg4.asf", "msmpeg4", {}, True),
    ("mpeg2.mxf", "mpeg2video", {"bf": "2"}, True),
    ("h264.nut", "libx264", {"bf": "2"}, False),
    ("mpeg2.wtv", "mpeg2video", {}, True),
    ("mpeg4.3gp", "mpeg4", {}, True),
    ("h264.m4v", "libx264", {"bf": "2"}, True),
    ("vp8.ivf", "libvpx", {}, True),
    ("h264.h264", "libx264", {"bf": "2"}, False),
    ("h265.hevc", "libx265", {"x265-params": "log-level=none"}, False),
    ("mpeg1.m1v", "mpeg1video", {"bf": "2"}, False),
    ("mpeg2.m2v", "mpeg2video", {"bf": "2"}, False),
]


@pytest.mark.parametrize(("name", "codec", "options", "is_told"), CONTAINERS)
def test_as_a_full_decode(
    name: str, codec: str, options: dict[str, str], is_told: bool, tmp_path: Path
) -> None:
    path = write_video(tmp_path / name, codec, count=60, fps=25, options=options)
    opened = open_source(path.read_bytes())
    assert Content(opened).streams == {"video"}
    clip = probe(opened)
    frames = decoded(path)
    assert (clip.frames, clip.fps) == (60, pytest.approx(25))
    expected = preprocess.video(Video(frames, fps=25))
    np.testing.assert_array_equal(preprocess.video(path), expected)
    cut = path.read_bytes()[: path.stat().st_size * 6 // 10]
    if is_told:
        with pytest.raises(SourceError):
            preprocess.video(cut)
    else:
        assert 15 < probe(open_source(cut)).frames < 60


def test_a_recording_that_was_never_closed(tmp_path: Path) -> None:
    """A live FLV promises no length: it is as long as what is there."""
    path = write_video(tmp_path / "live.flv", count=60, container={"flvflags": "no_duration_filesize"})
    data = path.read_bytes()
    assert probe(open_source(data)).frames == 60
    assert 20 < probe(open_source(data[: len(data) * 6 // 10])).frames < 60


def test_an_animation_given_as_a_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.gif", "gif", count=20, fps=10, pix_fmt="rgb8")
    assert sniff(open_source(path)).family == "image"
    expected = preprocess.video(Video(decoded(path), fps=10))
    np.testing.assert_array_equal(preprocess.video(path), expected)


def test_uncompressed_frames(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:48, :64].astype(np.uint8)
    chroma = columns[::2, ::2].tobytes() + rows[::2, ::2].tobytes()
    film = [b"FRAME\n" + (rows * 3 + number).astype(np.uint8).tobytes() + chroma for number in range(12)]
    path = tmp_path / "film.y4m"
    path.write_bytes(b"YUV4MPEG2 W64 H48 F25:1 C420jpeg\n" + b"".join(film))
    assert probe(open_source(path)).frames == 12
    expected = preprocess.video(Video(decoded(path), fps=25))
    np.testing.assert_array_equal(preprocess.video(path), expected)


def test_dv(tmp_path: Path) -> None:
    path = write_video(tmp_path / "tape.dv", "dvvideo", count=10, fps=25, size=(720, 576))
    clip = probe(open_source(path))
    assert (clip.frames, clip.fps) == (10, 25)
    assert preprocess.video(path).shape == (15, 3, 2, 224, 224)
