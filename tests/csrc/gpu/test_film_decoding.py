"""Videos decoded on the engine's GPU: by FFmpeg's NVDEC, or a stand-in for it on the simulated driver."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import bindrt
from bindrt import hardware
from bindrt.pipeline import gpu_videos
from support import cpp
from support.gpu_engine import Load, OnGpu
from support.media import write_video

FILMS = cpp.ROOT / "tests" / "ffmpegsim" / "films.py"


def test_on_the_simulated_gpu(simulated_driver: Path) -> None:
    """tests/ffmpegsim, in a process of its own, which uses the stand-in for FFmpeg."""
    if av.library_versions["libavcodec"][0] not in (62, 63) or cpp.loaded("libavcodec") is None:
        pytest.skip("FFmpeg is no library of its own here, or of another version")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(FILMS)]
    done = cpp.run(command, env={"BINDRT_LIBCUDA": str(simulated_driver)})
    assert done.returncode == 0, done.stdout[-8000:]
    assert re.search(r"^1[0-9] passed", done.stdout, re.MULTILINE), done.stdout[-2000:]


def test_without_the_gpus_decoder(
    on_gpu: Load, plain: bindrt.Model, gpu: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg itself, on a machine without NVIDIA's driver: the CPU decodes, or it is an error."""
    if not gpu.driver()["simulated"]:
        pytest.skip("there is a GPU")
    monkeypatch.setattr(gpu_videos, "LEAST_PIXELS", 0)
    path = write_video(tmp_path / "a.mp4", count=20)
    expected = plain.embed(video=[path, path]).video
    model, _ = on_gpu("video")
    np.testing.assert_allclose(model.embed(video=[path, path]).video, expected, atol=1e-5)
    assert model.stats()["video"]["pipeline"]["videos_decoded_on_device"] == 0
    model, _ = on_gpu("video", decode="gpu")
    with pytest.raises(bindrt.EngineError, match="NVDEC does not take it there"):
        model.embed(video=path)


def test_its_memory_is_counted(
    on_gpu: Load, plain: bindrt.Model, gpu: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the driver decodes videos: their frames, and the rows that are made of them."""

    def counted(modality: str, **options: Any) -> int:
        model, _ = on_gpu(modality, **options)
        model.engine(modality)
        return int(model.memory()["vision"]["device"])

    monkeypatch.setattr(hardware, "has_nvdec", lambda: False)
    without, pictures = counted("video"), counted("image")
    monkeypatch.setattr(hardware, "has_nvdec", lambda: True)
    most = gpu.memory_limits()["films"]
    assert most == 256 * 2**20 + 1_200_000_000 + 8 * 2**20
    assert counted("video") - without == counted("video", decode="gpu") - without == most
    assert counted("video", decode="exact") == without > counted("video", prepare="cpu")
    assert counted("image") == pictures
    engine = OnGpu(plain.engine("video"), plain.embed_dim)
    pipeline = bindrt.PipelineOptions(cuda_graphs=False)
    given: dict[str, Any] = {"modalities": ["video"], "engines": {"vision": engine}, "pipeline": pipeline}
    with (
        bindrt.load("tiny", memory_budget=most, **given) as model,
        pytest.raises(bindrt.MemoryBudgetExceeded, match="bytes for vision"),
    ):
        model.engine("video")


def takes_av1(model: bindrt.Model, path: Path) -> bool:
    """Not every GPU does: an H100 does not."""
    try:
        model.embed(video=path)
    except bindrt.EngineError as error:
        if "NVDEC does not take it there (av1 of 640×360" in str(error):
            return False
        raise
    return True


def test_on_a_gpu(on_gpu: Load, plain: bindrt.Model, gpu: Any, tmp_path: Path) -> None:
    """NVDEC itself: these codecs define every bit of a frame, so the views are the CPU's."""
    if gpu.driver()["simulated"]:
        pytest.skip("there is no GPU")
    made = [
        write_video(tmp_path / "a.mp4", count=75, size=(640, 360)),
        write_video(tmp_path / "b.mkv", count=50, size=(1920, 1080), options={"g": "12"}),
        write_video(tmp_path / "c.mp4", codec="libx265", count=40, size=(642, 362)),
        write_video(tmp_path / "d.webm", codec="libvpx-vp9", count=30, size=(640, 360)),
        write_video(
            tmp_path / "e.mp4", codec="libsvtav1", count=30, size=(640, 360), options={"preset": "12"}
        ),
    ]
    expected = plain.embed(video=made).video
    model, engine = on_gpu("video", decode="gpu")
    decoded = 0
    for path, vector in zip(made, expected, strict=True):
        if path == made[-1]:
            if not takes_av1(model, path):
                continue
            decoded += 1  # that was one too
        engine.seen.clear()
        found = model.embed(video=path).video[0]
        decoded += 1
        np.testing.assert_allclose(found, vector, atol=1e-5)
        views = bindrt.preprocess.video(path)
        for row in np.concatenate(engine.seen):
            assert min(float(np.abs(row - view).max()) for view in views) == 0.0, path
    assert model.stats()["video"]["pipeline"]["videos_decoded_on_device"] == decoded >= 4
