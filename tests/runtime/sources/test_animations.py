"""Animated pictures, and pictures one after the other, that are given as videos."""

from __future__ import annotations

import io

import av
import numpy as np
import PIL.Image
import pytest

from bindrt import LimitError, Limits, SourceError, Video, preprocess
from support.media import frames, picture_bytes

PICTURES = [PIL.Image.fromarray(frame) for frame in frames(30)]
KINDS = ["GIF", "PNG", "WEBP", "AVIF"]


def animated(kind: str) -> bytes:
    """Three seconds, ten pictures a second."""
    out = io.BytesIO()
    how = {"lossless": True} if kind == "WEBP" else {}
    PICTURES[0].save(out, kind, save_all=True, append_images=PICTURES[1:], duration=100, loop=0, **how)
    return out.getvalue()


def shown(data: bytes) -> list[np.ndarray]:
    picture = PIL.Image.open(io.BytesIO(data))
    found = []
    for at in range(picture.n_frames):
        picture.seek(at)
        found.append(np.asarray(picture.convert("RGB")))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_an_animation_plays(kind: str) -> None:
    data = animated(kind)
    views = preprocess.prepare("video", data)
    want = preprocess.video(Video(shown(data), fps=10))
    np.testing.assert_allclose(preprocess.video(data), want, atol=1e-6)
    assert views.notes["frames_unseen"] >= 20
    part = Video(shown(data), fps=10, start=1, end=2)
    np.testing.assert_allclose(
        preprocess.video(Video(data, start=1, end=2)), preprocess.video(part), atol=1e-6
    )


def jpegs() -> bytes:
    return b"".join(picture_bytes("JPEG", frame) for frame in frames(30))


def test_jpegs_one_after_the_other() -> None:
    data = jpegs()
    with av.open(io.BytesIO(data), format="mjpeg") as media:
        want = [frame.to_ndarray(format="rgb24") for frame in media.decode(video=0)]
    assert len(want) == 30
    np.testing.assert_array_equal(preprocess.video(data), preprocess.video(Video(want, fps=25)))


@pytest.mark.parametrize("kind", ["GIF", "JPEG"])
def test_a_cut_one_says_so(kind: str) -> None:
    data = jpegs() if kind == "JPEG" else animated(kind)
    cut = data[: len(data) * 6 // 10]
    assert preprocess.prepare("video", cut).notes["lost_packets"] >= 1
    with pytest.raises(SourceError):
        preprocess.video(Video(cut, strict=True))


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_a_cut_animation_is_an_error(kind: str) -> None:
    data = animated(kind)
    with pytest.raises(SourceError):
        preprocess.video(data[: len(data) * 6 // 10])


def test_an_animation_beyond_the_limits() -> None:
    data = animated("WEBP")
    with pytest.raises(LimitError, match="longer than"):
        preprocess.video(data, limits=Limits(max_seconds=1))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "JPEG"])
def test_a_still_picture_is_no_video(kind: str) -> None:
    data = picture_bytes(kind, frames(1)[0])
    with pytest.raises(SourceError, match="is an image"):
        preprocess.video(data)
