"""Videos with damaged packets: what can be decoded is embedded, and notes count what was lost."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

import bindrt
from bindrt import SourceError, Video, preprocess
from bindrt.preprocess import prepare
from bindrt.sources.inorder import Decoding
from support import tables
from support.media import decoded, write_video

COUNT = 60
#: x264 makes other bytes now and then but for this, and a few of them hide the damage.
SAME = {"threads": "1", "x264-params": "asm=0:qp=20"}
KINDS = [
    ("h264.mp4", "libx264", {"g": "60", "bf": "0", **SAME}),
    ("h264.mkv", "libx264", {"g": "60", "bf": "0", **SAME}),
    ("mpeg4.mp4", "mpeg4", {"g": "60"}),
    ("mpeg4.avi", "mpeg4", {"g": "60"}),
    ("av1.mp4", "libsvtav1", {"preset": "12", "g": "60", "svtav1-params": "pred-struct=1"}),
]


def with_damage(path: Path, number: int) -> bytes:
    """The file with random bytes in place of most of one packet."""
    with av.open(str(path)) as media:
        packets = [(p.pos, p.size) for p in media.demux(video=0) if p.size and p.pos is not None]
    start, size = packets[number]
    data = bytearray(path.read_bytes())
    data[start + size // 4 : start + size] = random.Random(number).randbytes(size - size // 4)
    return bytes(data)


@pytest.mark.parametrize(("name", "codec", "options"), KINDS)
def test_the_rest_of_the_video_is_embedded(
    name: str, codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = write_video(tmp_path / name, codec, count=COUNT, options=options)
    whole = prepare("video", path)
    assert whole.notes == {"frames_unseen": COUNT - 10}
    damaged = with_damage(path, 30)
    views = prepare("video", damaged)
    assert views.array.shape == whole.array.shape
    assert np.abs(views.array - whole.array).mean() < 0.3
    # What was lost is told, unless nothing of it was used.
    assert {"lost_packets", "damaged_frames"} & set(views.notes) or codec == "mpeg4"


@pytest.mark.parametrize(("name", "codec", "options"), KINDS)
@pytest.mark.parametrize("number", [3, 30, COUNT - 1])
def test_strict_refuses(name: str, codec: str, options: dict[str, str], number: int, tmp_path: Path) -> None:
    path = write_video(tmp_path / name, codec, count=COUNT, options=options)
    np.testing.assert_array_equal(preprocess.video(path, strict=True), preprocess.video(path))
    for item in (with_damage(path, number), Video(with_damage(path, number), strict=True)):
        if isinstance(item, bytes):
            with pytest.raises(SourceError, match=r"damaged"):
                preprocess.video(item, strict=True)
        else:
            with pytest.raises(SourceError, match=r"damaged"):
                preprocess.video(item)


def test_a_lost_frame_does_not_move_the_others(tmp_path: Path) -> None:
    """The frame before stands in; those after it keep their places."""
    path = write_video(tmp_path / "mjpeg.mov", "mjpeg", count=45, pix_fmt="yuvj420p")
    views = prepare("video", with_lost_frame(path, 44))
    assert views.notes["lost_packets"] == 1
    assert views.notes["damaged_frames"] == 1
    whole = decoded(path)
    expected = preprocess.video(Video([*whole[:44], whole[43]], fps=15))
    np.testing.assert_array_equal(views.array, expected)


def with_lost_frame(path: Path, number: int) -> bytes:
    """A packet of which not even the header is left."""
    with av.open(str(path)) as media:
        packets = [(p.pos, p.size) for p in media.demux(video=0) if p.size and p.pos is not None]
    start, size = packets[number]
    data = bytearray(path.read_bytes())
    data[start : start + size] = b"\x55" * size
    return bytes(data)


def test_a_recording_that_begins_between_key_frames(tmp_path: Path) -> None:
    """As from a broadcast: the frames before the first key frame cannot be decoded."""
    path = write_video(
        tmp_path / "h264.ts", count=120, options={"g": "30", "bf": "0", "x264-params": "asm=0:qp=20"}
    )
    with av.open(str(path)) as media:
        starts = [p.pos for p in media.demux(video=0) if p.size]
    cut = path.read_bytes()[starts[20] :]
    views = prepare("video", cut)
    assert views.notes["lost_packets"] >= 9
    with pytest.raises(SourceError):
        preprocess.video(cut, strict=True)


def test_decoding_ends_where_nothing_comes_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many packets that mean nothing would take seconds."""
    monkeypatch.setattr("bindrt.sources.inorder._HOPELESS", 5)
    stream = SimpleNamespace(codec_context=_Decoder([True] * 3 + [False] * 4 + [True] + [False] * 9 + [True]))
    media = SimpleNamespace(demux=lambda stream: [SimpleNamespace(size=1)] * 18)
    decoding = Decoding(media, stream, tolerant=True)
    assert len(list(decoding.frames())) == 4
    assert decoding.lost == 4 + 5


class _Decoder:
    """Decodes those packets that are to be decoded."""

    def __init__(self, good: list[bool]) -> None:
        self._good = iter(good)

    def decode(self, packet: object) -> list[str]:
        if not next(self._good):
            raise av.error.InvalidDataError(1, "damaged")
        return ["frame"]


def test_nothing_to_decode_is_an_error(tmp_path: Path) -> None:
    path = write_video(tmp_path / "mpeg4.mp4", "mpeg4", count=20)
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    with pytest.raises(SourceError, match=r"0 of 20 frames can be decoded|frames of 0 x 0 pixels"):
        preprocess.video(bytes(data))


def test_a_codec_without_a_size(tmp_path: Path) -> None:
    """Its header says 0 x 0, and nothing in the packets says more: an error for the item alone."""
    item = tables.movie(samples=20, size=40)
    with pytest.raises(SourceError, match="0 x 0"):
        preprocess.video(item)
    good = write_video(tmp_path / "good.mp4")
    with bindrt.load("tiny") as model:
        found = model.embed(video=[item, good], on_error="skip")
        assert set(found.errors) == {("video", 0)}
        with pytest.raises(SourceError, match="0 x 0"):
            model.submit("video", item).result()
        vectors = list(model.stream("video", [item, good], on_error="skip"))
        assert len(vectors) == 2
