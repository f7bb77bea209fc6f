"""Items that a GPU prepares, of all modalities but text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from support.golden import HERE

INPUTS = HERE / "inputs"


def picture(folder: Path, size: tuple[int, int], name: str) -> Path:
    rng = np.random.default_rng(sum(size))
    coarse = rng.integers(0, 255, (9, 13, 3), np.uint8)
    PIL.Image.fromarray(coarse).resize(size, PIL.Image.Resampling.BICUBIC).save(folder / name)
    return folder / name


def depth_png(folder: Path) -> Path:
    rng = np.random.default_rng(5)
    counts = rng.integers(0, 8000, (480, 640)).astype(np.uint16)
    counts[rng.random(counts.shape) < 0.1] = 0
    PIL.Image.fromarray(counts).save(folder / "depth.png")
    return folder / "depth.png"


def imu() -> list[Any]:
    """Two with the same units, which go together, and others; the first looks as if it were in g."""
    rng = np.random.default_rng(6)
    samples = rng.normal(0, 0.1, (6, 1100))
    samples[2] += 1
    times = np.cumsum(rng.uniform(0.004, 0.006, 1100)).astype(np.float32)
    return [
        bindrt.Imu(samples, rate=200),
        bindrt.Imu(samples.astype(np.float32), timestamps=times),
        bindrt.Imu(samples, rate=200, accel_unit="g"),
        bindrt.Imu((samples * 1000).astype(np.int16), rate=200),
    ]


def sounds() -> list[Any]:
    """Short, so that clips overlap, and long; one channel and two; several rates and numbers."""
    rng = np.random.default_rng(8)
    return [
        bindrt.Audio(rng.normal(0, 0.1, (2, 5 * 44100)).astype(np.float32), rate=44100),
        bindrt.Audio(rng.integers(-9000, 9000, 3 * 16000).astype(np.int16), rate=16000),
        bindrt.Audio(rng.integers(-9000, 9000, (2, 9 * 22050)).astype(np.int16), rate=22050),
        bindrt.Audio(rng.normal(0, 0.1, 16000).astype(np.float32), rate=8000),
    ]


def items(modality: str, folder: Path) -> list[Any]:
    """Items that a GPU prepares, of several sizes."""
    rng = np.random.default_rng(7)
    files = sorted((INPUTS / modality).glob("*")) if (INPUTS / modality).is_dir() else []
    if modality == "image":
        made = [
            picture(folder, (640, 480), "p.jpg"),
            picture(folder, (200, 300), "small.png"),
            picture(folder, (1500, 1100), "large.jpg"),  # resized before it is sent
        ]
        grey = folder / "grey.jpg"
        PIL.Image.open(made[0]).convert("L").save(grey)
        return [*files, *made, grey]
    if modality == "depth":
        return [
            *files,
            depth_png(folder),
            rng.random((300, 240)),
            bindrt.Depth(depth_png(folder), unit="sunrgbd"),
        ]
    if modality == "thermal":
        counts = rng.integers(29000, 31000, (512, 640)).astype(np.uint16)
        return [
            *files,
            rng.integers(0, 255, (120, 160), np.uint8),
            bindrt.Thermal(counts, percentiles=(1, 99)),
        ]
    if modality == "video":
        pytest.importorskip("av")  # a kit may be without it
        from support.media import write_video

        made = [folder / "one.mp4", folder / "two.mp4"]
        write_video(made[0], count=75)
        write_video(made[1], count=60, size=(72, 128))
        return [*files, *made]
    if modality == "imu":
        return imu()
    if modality == "audio":
        return [*files, *sounds()]
    return files
