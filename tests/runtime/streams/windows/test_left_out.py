"""Frames that no window needs are not decoded; the windows are the same as if they were."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import bindrt
from bindrt import _core
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities.video import prepare
from bindrt.sources import container, open_source, playing
from bindrt.sources.frames import Frame, ShownFrame
from bindrt.sources.playing import looked_at, open_playing
from bindrt.streams.windows import Schedule, pictures
from bindrt.streams.windows.frame_windows import FrameWindows
from bindrt.streams.windows.needs import Part, WindowNeeds
from bindrt.streams.windows.pictures import video_cuts
from support import media

FPS, COUNT = 15, 150
REFERRING = {"bf": "3", "g": "45", "x264-params": "b-pyramid=normal:b-adapt=0:scenecut=0"}


class Nothing:
    """Needs none of the frames."""

    def add(self, time: float) -> list[bool]:
        return [False]

    def finish(self) -> list[bool]:
        return []


def shown(path: Path, needs: Any = None) -> list[tuple[float, bool]]:
    """The time of each frame, and whether it was decoded."""
    with open_playing(open_source(path)) as playing:
        return [(time, frame is not None) for time, frame in playing.frames(needs)]


def film(path: Path, options: dict[str, str] = REFERRING, **more: Any) -> Path:
    return media.write_video(path, count=COUNT, fps=FPS, options=options, **more)


def irregular(path: Path) -> Path:
    """Frames at 15 a second on average, between 1/60 and 1/6 s apart."""
    choose = random.Random(0)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=FPS, options=REFERRING)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 600)
        at = 0
        for pixels in media.frames(COUNT):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 600)
            at += choose.choice([10, 30, 40, 50, 100])
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def cuts(item: bindrt.Video, schedule: Schedule) -> list[tuple[Any, ...]]:
    found = []
    for cut in video_cuts(item, schedule, DEFAULT_LIMITS):
        assert cut.item is not None
        found.append((cut.number, cut.start, cut.end, cut.notes, np.array(cut.item.array)))
    return found


def require_same(item: bindrt.Video, schedule: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    """The windows, bit for bit, are those of a decoder that leaves nothing out."""
    found = cuts(item, schedule)
    with monkeypatch.context() as patched:
        patched.setattr(pictures.WindowNeeds, "are_known", staticmethod(lambda _: False))
        expected = cuts(item, schedule)
    assert [each[:4] for each in found] == [each[:4] for each in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one[4], other[4])


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_unneeded_frames_are_left_out_in_their_places(tmp_path: Path, name: str) -> None:
    path = film(tmp_path / name)
    all_of_them, found = shown(path), shown(path, Nothing())
    assert [time for time, _ in found] == [time for time, _ in all_of_them]
    assert all(decoded for _, decoded in all_of_them)
    left_out = sum(not decoded for _, decoded in found)
    assert COUNT // 3 <= left_out <= COUNT // 2 + 1  # two of four; but for those at the beginning


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("film.ts", {}),  # times may be those of decoding
        ("film.mp4", {"codec": "mpeg4", "options": {"bf": "2"}}),  # its frames have no such mark
        ("interlaced.mp4", {"options": {"flags": "+ilme+ildct", "x264-params": "tff=1:b-adapt=0"}}),
    ],
)
def test_of_other_films_nothing_is_left_out(tmp_path: Path, name: str, more: dict[str, Any]) -> None:
    path = film(tmp_path / name, **more)
    assert shown(path, Nothing()) == shown(path)


@pytest.mark.parametrize(("window", "hop"), [(2.0, 1.0), (1.3, 0.7), (0.5, 2.0), (3.0, 1.5)])
@pytest.mark.parametrize("part", [(0.0, None), (1.21, 6.97)])
def test_windows_are_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    window: float,
    hop: float,
    part: tuple[float, float | None],
) -> None:
    schedule = Schedule.of(window, hop, origin=part[0])
    path = film(tmp_path / "film.mp4", options={**REFERRING, "x264-params": "open-gop=1"})
    require_same(bindrt.Video(path, start=part[0], end=part[1]), schedule, monkeypatch)
    path = irregular(tmp_path / "irregular.mkv")
    require_same(bindrt.Video(path, start=part[0], end=part[1]), schedule, monkeypatch)


@pytest.mark.parametrize("name", ["irregular.mkv", "irregular.mp4"])
def test_frames_out_of_step_lie_where_their_times_say(tmp_path: Path, name: str) -> None:
    """Also in films whose packets come in another order than their frames are shown."""
    path = irregular(tmp_path / name)
    compared = 0
    for _, start, end, _, array in cuts(bindrt.Video(path), Schedule.of(2.0, 1.0)):
        views = prepare(bindrt.Video(path, start=start, end=end), DEFAULT_LIMITS)
        if len(views.array) == len(array) == 3:  # the clips are one: its first and its last frame
            np.testing.assert_array_equal(array, views.array)
            compared += 1
    assert compared >= 5


def test_an_error_among_the_first_packets_comes_in_its_place() -> None:
    def packets() -> Iterator[int]:
        yield from range(3)
        raise bindrt.SourceError("film.mp4", "it is cut")

    for most in (2, 5):
        first, items = looked_at(packets(), most)
        assert first == list(range(min(most, 3)))
        assert [next(items) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(bindrt.SourceError, match="it is cut"):
            next(items)


def test_a_part_does_not_read_what_is_behind(tmp_path: Path) -> None:
    """The part's last frames do not wait for the end of the file."""
    needs = WindowNeeds(Part(0.0, 2.0, FPS), Schedule.of(1.0, 1.0))
    with open_playing(open_source(film(tmp_path / "film.mp4"))) as playing:
        frames = playing.frames(needs)
        assert next(time for time, _ in frames if time > 2.5) < 3.0
        assert sum(1 for packet in playing._media.demux(video=0) if packet.size) > COUNT // 2


def test_damage_ends_leaving_out(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4")
    windows = cuts(bindrt.Video(path), Schedule.of(2.0, 1.0))
    with av.open(str(path)) as source:
        packets = [p for p in source.demux(video=0) if p.size and p.is_keyframe]  # others may be left out
        start, size = packets[1].pos, packets[1].size
    assert start is not None
    data = bytearray(path.read_bytes())
    data[start + 8 : start + size] = bytes(size - 8)
    path.write_bytes(data)
    found = shown(path, Nothing())
    assert not all(decoded for _, decoded in found[:50])
    assert all(decoded for _, decoded in found[-50:])
    found_windows = cuts(bindrt.Video(path), Schedule.of(2.0, 1.0))
    assert {number for number, _, _, notes, _ in found_windows if "lost_packets" in notes} == {1, 2}
    np.testing.assert_array_equal(found_windows[0][4], windows[0][4])


class Refusing:
    """A container whose demuxer refuses one place: that behind so many packets."""

    def __init__(self, media: Any, place: int) -> None:
        self._media, self._place = media, place
        self._read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._media, name)

    def demux(self, *streams: Any) -> Iterator[Any]:
        for packet in self._media.demux(*streams):
            self._read += packet.size > 0
            yield packet
            if packet.size and self._read == self._place:
                raise av.error.InvalidDataError(1094995529, "Invalid data found when processing input")


def refuse(place: int, patched: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def opened(*given: Any) -> Iterator[Any]:
        with container.open_container(*given) as media:
            yield Refusing(media, place)

    patched.setattr(playing, "open_container", opened)


@pytest.mark.parametrize("needs", [None, Nothing()])
@pytest.mark.parametrize("place", [12, 70, COUNT])
def test_a_refused_place_is_counted_when_the_packet_behind_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int, needs: Any
) -> None:
    """Packets are read ahead; frames come some packets after theirs, by how many threads decode."""
    refuse(place, monkeypatch)
    with open_playing(open_source(film(tmp_path / "film.mp4"))) as source:
        lost = [source.lost for _ in source.frames(needs)]
        assert (len(lost), source.lost) == (COUNT, 1)
    if place == COUNT:
        assert lost[-1] == 0
    else:
        assert place - 10 <= lost.index(1) <= place + 2


def test_a_refused_place_is_noted_in_the_window_that_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(70, monkeypatch)
    found = cuts(bindrt.Video(film(tmp_path / "film.mp4")), Schedule.of(2.0, 2.0))
    assert [notes.get("lost_packets", 0) for _, _, _, notes, _ in found] == [0, 0, 1, 0, 0]


def times_of(kind: str, fps: float, seconds: float) -> Iterator[float]:
    choose, time = random.Random(kind), 0.0
    while time < seconds:
        yield time
        factor = choose.uniform(0.2, 1.8) if kind == "irregular" else 1.0
        time += factor / fps + (30.0 if kind == "pause" and 4.0 < time < 4.0 + 1 / fps else 0.0)


@pytest.mark.parametrize("kind", ["regular", "irregular", "pause"])
@pytest.mark.parametrize("fps", [7.3, 24000 / 1001, 25.0])
@pytest.mark.parametrize(("window", "hop"), [(2.0, 1.0), (1.0, 0.3), (0.4, 1.1), (2.0, 0.1)])
@pytest.mark.parametrize("part", [(0.0, None), (0.77, 5.21)])
def test_needed_are_all_frames_that_windows_hold(
    kind: str, fps: float, window: float, hop: float, part: tuple[float, float | None]
) -> None:
    schedule, wanted = Schedule.of(window, hop), Part(*part, fps)
    needs, made = WindowNeeds(wanted, schedule), FrameWindows(fps, schedule)
    picture = _core.Picture(np.zeros((1, 1, 3), np.uint8))
    answers: list[bool] = []
    frames: list[ShownFrame] = []
    held: set[int] = set()
    for time in times_of(kind, fps, 8.0):
        frames.append(ShownFrame.of(Frame(picture, 1, 1)))
        answers += needs.add(time)
        if wanted.is_inside(time):
            for closed in made.add(max(time - wanted.start, 0.0), frames[-1]):
                held |= {id(frame) for frame in closed.frames._held.values()}
    answers += needs.finish()
    for closed in made.finish():
        held |= {id(frame) for frame in closed.frames._held.values()}
    assert len(answers) == len(frames)
    assert held
    assert held <= {id(frame) for frame, is_needed in zip(frames, answers, strict=True) if is_needed}
