"""The bytes that docs/gpu.md says are sent to a GPU for an item are those that the simulated GPU got."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import soundfile

import bindrt
from support import cpp
from support.gpu_engine import Load
from support.gpu_items import picture
from support.media import write_video

ROW = re.compile(r"^\| ([^|]+) \| [^|]+ \| ([\d ]+) \| ([\d ]+) \|$", re.MULTILINE)


def stated() -> dict[str, tuple[int, int]]:
    """What the page says, by item: bytes prepared on the GPU, and with ``prepare="cpu"``."""
    rows = ROW.findall((cpp.ROOT / "docs/gpu.md").read_text())
    return {item: (int(there.replace(" ", "")), int(here.replace(" ", ""))) for item, there, here in rows}


def a_map(size: tuple[int, int], dtype: Any) -> bytes:
    counts = np.random.default_rng(5).integers(1, np.iinfo(dtype).max // 4, size[::-1]).astype(dtype)
    file = io.BytesIO()
    PIL.Image.fromarray(counts).save(file, "PNG")
    return file.getvalue()


def a_sound(seconds: int) -> bytes:
    wave = np.random.default_rng(6).integers(-9000, 9000, (seconds * 44100, 2)).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, wave, 44100, format="WAV", subtype="PCM_16")
    return file.getvalue()


def item(name: str, folder: Path) -> tuple[str, Any]:
    """The modality and the item that a row of the table names."""
    films = {"video of 5 s, 640×360": (640, 360), "video of 5 s, 1280×720": (1280, 720)}
    sizes = {"picture 640×480, JPEG": (640, 480), "picture 1920×1080, JPEG": (1920, 1080)}
    if name in sizes:
        return "image", picture(folder, sizes[name], "a.jpg")
    if name in films:
        return "video", write_video(folder / "a.mp4", count=125, size=films[name], options={"g": "25"})
    samples = np.random.default_rng(7).normal(0, 0.1, (6, 1000)).astype(np.float32)
    found: dict[str, tuple[str, Any]] = {
        "depth map 640×480 of 16 bits, PNG": ("depth", a_map((640, 480), np.uint16)),
        "thermal frame 640×512 of 16 bits, PNG": (
            "thermal",
            bindrt.Thermal(a_map((640, 512), np.uint16), percentiles=(1, 99)),
        ),
        "thermal frame 640×512 of 8 bits, PNG": ("thermal", a_map((640, 512), np.uint8)),
        "sound of 2 s, 44.1 kHz, stereo, WAV": ("audio", a_sound(2)),
        "sound of 10 s, 44.1 kHz, stereo, WAV": ("audio", a_sound(10)),
        "inertial samples of 5 s, 200 Hz, float32": ("imu", bindrt.Imu(samples, rate=200)),
        "text, 5 tokens": ("text", "a bell ringing"),
    }
    return found[name]


NAMES = tuple(stated())


def test_all_modalities_are_in_the_table(tmp_path: Path) -> None:
    modalities = {item(name, tmp_path)[0] for name in NAMES}
    assert modalities == {"image", "video", "text", "audio", "depth", "thermal", "imu"}


@pytest.mark.parametrize("name", NAMES)
def test_the_page_says_what_is_sent(
    on_gpu: Load, plain: bindrt.Model, gpu: Any, tmp_path: Path, name: str
) -> None:
    """All bytes that a first batch of one item copies to the GPU; the simulated driver counts them too."""
    modality, given = item(name, tmp_path)
    plain.embed(**{modality: given})  # the first of a kind is left to Python
    sent = []
    for prepare in ("auto", "cpu"):
        model, engine = on_gpu(modality, prepare=prepare, decode="exact")
        before = engine.copied_to_device()
        model.embed(**{modality: given})
        counts = model.stats()[modality]["pipeline"]
        after = engine.copied_to_device()
        if before is not None and after is not None:
            vectors = counts["rows"] * model.embed_dim * 4  # the engine of the tests copies them back
            assert counts["bytes_to_device"] == after - before - vectors
        assert (counts["rows_on_device"] > 0) is (prepare == "auto" and modality != "text")
        sent.append(int(counts["bytes_to_device"]))
    assert tuple(sent) == stated()[name]
