"""Parts of a video, and fewer views of it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import bindrt
from bindrt import InputError, SpaceError, Video, preprocess
from bindrt.commands.embed import main
from bindrt.index import Index
from support.golden import HERE
from support.media import decoded, frames, write_video

FPS = 15


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "film.mp4", count=120, fps=FPS, options={"g": "30"})


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        (None, None, range(120)),
        (2, None, range(30, 120)),
        (None, 3, range(45)),
        (1.4, 4.2, range(21, 63)),
        (7.9, 99, range(119, 120)),
        (0, 1 / FPS, range(1)),
    ],
)
def test_a_part_is_a_video_of_its_frames(
    path: Path, start: float | None, end: float | None, inside: range
) -> None:
    whole = decoded(path)
    expected = preprocess.video(Video([whole[at] for at in inside], fps=FPS))
    np.testing.assert_array_equal(preprocess.video(path, start=start, end=end), expected)
    np.testing.assert_array_equal(preprocess.video(Video(path, start=start, end=end, strict=True)), expected)
    item = Video(whole, fps=FPS, start=start, end=end)
    np.testing.assert_array_equal(preprocess.video(item), expected)


def test_frames_of_uneven_times_are_found_by_their_times(tmp_path: Path) -> None:
    """A phone's video: half the frames lie in the first second."""
    import av

    path = tmp_path / "phone.mkv"
    pictures = frames(40)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=20, options={"g": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for at, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = at * 50 if at < 20 else at * 100 - 1000, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    whole = decoded(path)
    with av.open(str(path)) as media:
        fps = float(media.streams.video[0].average_rate or 0)
    expected = preprocess.video(Video(whole[20:30], fps=fps))
    np.testing.assert_array_equal(preprocess.video(path, start=1, end=2), expected)


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        (-1, None, "start is -1"),
        ("1", None, "start is '1'"),
        (None, float("nan"), "end is nan"),
        (3, 3, "ends at 3 s and starts at 3 s"),
        (8, None, "no frame is shown from 8 s"),
        (0.01, 0.02, "no frame is shown from 0.01 to 0.02 s"),
    ],
)
def test_no_such_part(path: Path, start: object, end: object, problem: str) -> None:
    for item in (Video(path, start=start, end=end), Video(frames(120), FPS, start, end)):  # type: ignore[arg-type]
        with pytest.raises(InputError, match=problem):
            preprocess.video(item)


@pytest.mark.parametrize(("views", "places"), [(5, [1, 4, 7, 10, 13]), (3, [1, 7, 13]), (1, [7])])
def test_fewer_views_are_some_of_the_fifteen(path: Path, views: int, places: list[int]) -> None:
    whole = preprocess.video(path)
    found = preprocess.video(path, views=views)
    np.testing.assert_array_equal(found, whole[places])
    assert preprocess.prepare("video", Video(path, views=views)).notes["views"] == views
    assert "views" not in preprocess.prepare("video", path).notes


@pytest.mark.parametrize("views", [0, 2, 16, True, "5", None, 5.0])
def test_other_numbers_of_views(path: Path, views: object) -> None:
    if views == 5.0 and isinstance(views, float):
        assert preprocess.video(path, views=views).shape[0] == 5  # type: ignore[arg-type]
        return
    with pytest.raises(InputError, match="views is"):
        preprocess.video(path, views=views)  # type: ignore[arg-type]


def test_the_space_tells_fewer_views(path: Path) -> None:
    with bindrt.load("tiny") as model:
        all_of_them, text = model.embed(video=path), model.embed(text="red")
        some = model.embed(video=Video(path, views=5))
        assert all_of_them.space == text.space == model.space
        assert some.space == f"{model.space}+video5"
        with pytest.raises(SpaceError):
            Index.of(model).add(some, ["video"])
        cheap = Index(some.space, model.embed_dim)
        cheap.add(some, ["video"])
        assert cheap.search(text, k=1)[0][0].id == "video"
        with pytest.raises(SpaceError):
            Index("another-space+video5", model.embed_dim).search(text)


def test_bind_embed_tells_the_space(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = str(HERE.parent.parent / "runtime" / "bindrt" / "data" / "tiny.bind")
    for options, told in ((["--views", "5"], "+video5"), (["--views", "15"], ""), ([], "")):
        assert main([bundle, str(path), *options, "--json"]) == 0
        row = json.loads(capsys.readouterr().out.splitlines()[0])
        assert row["space"].partition("+video5")[1] == told
