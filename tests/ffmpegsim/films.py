"""Videos decoded on the simulated GPU by the stand-in for FFmpeg's NVDEC.

In a process of its own, which tests/csrc/gpu/test_film_decoding.py starts: a process uses one FFmpeg.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt import _core
from bindrt.pipeline import gpu_videos
from support.ffmpegsim import FfmpegSim
from support.gpu_engine import Load
from support.media import write_video

pytest_plugins = ["csrc.gpu.conftest"]


@pytest.fixture(scope="module")
def ffmpeg(gpu: Any, tmp_path_factory: pytest.TempPathFactory) -> FfmpegSim:
    os.environ["BINDRT_LIBCUDA"] = _core.gpu.driver()["path"]
    return FfmpegSim(tmp_path_factory.mktemp("ffmpeg"))


@pytest.fixture(autouse=True)
def well_used(ffmpeg: FfmpegSim) -> Iterator[None]:
    ffmpeg.behave("")
    yield
    assert ffmpeg.misused() == ""


@pytest.fixture(scope="module")
def films(
    tmp_path_factory: pytest.TempPathFactory, plain: bindrt.Model, ffmpeg: FfmpegSim
) -> dict[str, Path]:
    """Each format has been seen: the first video of one is Python's."""
    folder = tmp_path_factory.mktemp("films")
    made = {
        "h264": write_video(folder / "h264.mp4", count=75),
        "odd": write_video(folder / "odd.mkv", count=20, size=(130, 98)),
        "turned": write_video(folder / "turned.mp4", count=20, rotation=90, options={"g": "7"}),
        "tall": write_video(folder / "tall.mov", count=20, size=(72, 128)),
        "hevc": write_video(
            folder / "hevc.mp4", codec="libx265", count=30, options={"x265-params": "log-level=0"}
        ),
        "vp9": write_video(folder / "vp9.webm", codec="libvpx-vp9", count=20),
        "av1": write_video(
            folder / "av1.mp4", codec="libsvtav1", count=20, options={"preset": "12", "g": "10"}
        ),
        "mpeg4": write_video(folder / "mpeg4.mp4", codec="mpeg4", count=20),
    }
    for path in made.values():
        plain.embed(video=path)
    return made


def few(path: Path) -> bindrt.Video:
    """With one view: the simulated GPU takes long for fifteen."""
    return bindrt.Video(path, views=1)


def decoded(model: bindrt.Model) -> int:
    return int(model.stats()["video"]["pipeline"]["videos_decoded_on_device"])


def test_the_views_are_the_cpus(
    on_gpu: Load, plain: bindrt.Model, films: dict[str, Path], ffmpeg: FfmpegSim
) -> None:
    model, engine = on_gpu("video", decode="gpu")
    for number, (name, path) in enumerate((k, v) for k, v in films.items() if k != "mpeg4"):
        engine.seen.clear()
        before = ffmpeg.frames()
        found = model.embed(video=path)
        assert ffmpeg.frames() > before, name
        assert decoded(model) == number + 1, name
        expected = plain.embed(video=path)
        np.testing.assert_allclose(found.video, expected.video, atol=1e-5)
        assert found.notes == expected.notes
        views = bindrt.preprocess.video(path)
        for row in np.concatenate(engine.seen):
            assert min(float(np.abs(row - view).max()) for view in views) == 0.0, name


def test_a_part_of_a_video(on_gpu: Load, plain: bindrt.Model, films: dict[str, Path]) -> None:
    model, _ = on_gpu("video", decode="gpu")
    item = bindrt.Video(films["h264"], start=1.5, end=4.0, views=5)
    np.testing.assert_allclose(model.embed(video=item).video, plain.embed(video=item).video, atol=1e-5)
    data = films["h264"].read_bytes()
    np.testing.assert_allclose(model.embed(video=data).video, plain.embed(video=data).video, atol=1e-5)
    assert decoded(model) == 2


def test_which_videos(
    on_gpu: Load, plain: bindrt.Model, films: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default large ones; none with decode="exact" or prepare="cpu"."""
    model, _ = on_gpu("video")
    model.embed(video=few(films["h264"]))
    assert decoded(model) == 0
    monkeypatch.setattr(gpu_videos, "LEAST_PIXELS", 130 * 98)
    for options, count in (({}, 1), ({"decode": "exact"}, 0), ({"prepare": "cpu"}, 0)):
        model, _ = on_gpu("video", **options)
        model.embed(video=[few(films["h264"]), few(films["odd"])])
        assert decoded(model) == count, options


@pytest.mark.parametrize(
    ("how", "codec", "why"),
    [
        ("refuses", "h264", "NVDEC refuses it or fails"),
        ("breaks", "h264", "NVDEC refuses it or fails"),
        ("breaks late", "h264", "NVDEC refuses it or fails"),
        ("deep", "h264", "NVDEC refuses it or fails"),
        ("cropped", "h264", "NVDEC refuses it or fails"),
        ("no device", "h264", "FFmpeg has no NVDEC here"),
        ("", "mpeg4", "the frames of its codec depend on the decoder"),
    ],
)
def test_what_the_gpu_refuses(
    on_gpu: Load, plain: bindrt.Model, films: dict[str, Path], ffmpeg: FfmpegSim, how: str, codec: str,
    why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """The CPU decodes it, which the log says once; with decode="gpu" it is an error."""
    ffmpeg.behave(how)
    monkeypatch.setattr(gpu_videos, "LEAST_PIXELS", 0)
    item = few(films[codec])
    model, _ = on_gpu("video")
    for _ in range(2):
        np.testing.assert_allclose(model.embed(video=item).video, plain.embed(video=item).video, atol=1e-5)
    assert decoded(model) == 0
    (said,) = [r.message for r in caplog.records if "is decoded on the CPU" in r.message]
    assert said.startswith(f"videos on cuda:0: {codec} of 64×48 is decoded on the CPU: {why}")
    model, _ = on_gpu("video", decode="gpu")
    with pytest.raises(bindrt.EngineError, match=rf"on the GPU: NVDEC .* \({codec} of 64×48: {why}.*'auto'"):
        model.embed(video=item)
    assert len([r for r in caplog.records if "is decoded on the CPU" in r.message]) == 1


def test_unusual_files_are_the_cpus(
    on_gpu: Load, plain: bindrt.Model, films: dict[str, Path], tmp_path: Path
) -> None:
    """With decode="gpu" as well; what is wrong with one is said in the CPU's words."""
    avi = write_video(tmp_path / "a.avi", count=30)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(films["h264"].read_bytes()[:-900])
    model, _ = on_gpu("video", decode="gpu")
    found, expected = (each.embed(video=[avi, cut], on_error="skip") for each in (model, plain))
    np.testing.assert_allclose(found.video, expected.video, atol=1e-5)
    assert {k: str(e) for k, e in found.errors.items()} == {k: str(e) for k, e in expected.errors.items()}
    assert decoded(model) == 0


def test_many_at_once(on_gpu: Load, plain: bindrt.Model, films: dict[str, Path]) -> None:
    """More than are decoded at once: they wait for each other."""
    names = ("h264", "odd", "turned", "tall")
    expected = {name: plain.embed(video=few(films[name])).video[0] for name in names}
    model, _ = on_gpu("video", decode="gpu")

    def both(name: str) -> None:
        np.testing.assert_allclose(model.embed(video=few(films[name])).video[0], expected[name], atol=1e-5)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(both, names * 4))
    assert decoded(model) == 16


def test_an_engine_that_runs_alone(on_gpu: Load, plain: bindrt.Model, films: dict[str, Path]) -> None:
    """Its rows come back from the GPU."""
    model, engine = on_gpu("video", decode="gpu")
    engine.fails = True
    item = few(films["h264"])
    np.testing.assert_allclose(model.embed(video=item).video, plain.embed(video=item).video, atol=1e-5)
    assert decoded(model) == 1


def test_frames_that_are_written_out_of_order_are_found(
    on_gpu: Load, plain: bindrt.Model, films: dict[str, Path], ffmpeg: FfmpegSim
) -> None:
    """A planted fault: kernels must come after FFmpeg's copies, on the stream that it was given."""
    ffmpeg.behave("other stream")
    model, _ = on_gpu("video", decode="gpu")
    try:
        found = model.embed(video=films["h264"]).video
    except bindrt.Error:  # poison may make numbers that are none
        return
    assert np.abs(found - plain.embed(video=films["h264"]).video).max() > 1e-3
