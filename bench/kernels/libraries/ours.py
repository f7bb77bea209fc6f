"""bindrt, at the best instruction set of the machine or at the one that ``configure`` is told."""

from __future__ import annotations

from typing import Any

import av
import numpy as np

from bench.kernels.alternative import Call, alternative
from bench.kernels.libraries import constants as c
from bindrt import _core, preprocess
from bindrt.sources.colour import picture_of

PACKAGES = ("bindrt", "numpy", "pillow", "av", "soundfile")


def configure(level: str) -> str:
    """Limits the kernels to ``level``; returns what to add to names."""
    if _core.limit_cpu_level(level) != level:
        raise RuntimeError(f"this machine has no {level}")
    return f"({level})"


def ours(op: str) -> Any:
    return alternative(op, "bindrt", "ours")


@ours("image-file")
def image_file(path: str, threads: int) -> Call:
    return lambda: preprocess.image(path)


@ours("image")
def image(pixels: str, threads: int) -> Call:
    array = np.load(pixels)
    return lambda: _core.image_input(array, "RGB", threads=threads)


@ours("audio-file")
def audio_file(path: str, threads: int) -> Call:
    return lambda: preprocess.audio(path)


@ours("video-file")
def video_file(path: str, threads: int) -> Call:
    return lambda: preprocess.video(path)


@ours("depth-file")
def depth_file(path: str, threads: int) -> Call:
    return lambda: preprocess.depth(path)


@ours("thermal-file")
def thermal_file(path: str, threads: int) -> Call:
    return lambda: preprocess.thermal(path)


@ours("thermal16-file")
def thermal16_file(path: str, threads: int) -> Call:
    return lambda: preprocess.thermal(path, percentiles=(1, 99))


@ours("imu-file")
def imu_file(path: str, threads: int) -> Call:
    return lambda: preprocess.imu(path)


@ours("pool")
def pool(views: str, threads: int) -> Call:
    array = np.load(views)
    return lambda: _core.pool_views(array, [len(array)])


@ours("imu")
def imu(recording: str, threads: int) -> Call:
    with np.load(recording) as fields:
        samples, times = fields["samples"], fields["t"]
    return lambda: _core.imu_grid(samples, times, [1.0] * 6, [0.0] * 6)[0]


@ours("resample")
def resample(wave: str, threads: int) -> Call:
    samples = np.load(wave)
    return lambda: _core.resample(samples, 44100, 16000, threads=threads)


@ours("mel")
def mel(clip: str, threads: int) -> Call:
    samples = np.load(clip)
    ranges = [(0, len(samples))]
    return lambda: _core.mel_clips(samples, ranges, [], threads=threads)[0]


@ours("depth")
def depth(counts: str, threads: int) -> Call:
    array = np.load(counts)
    return lambda: _core.depth_square(array, "mm", c.FOCAL, c.BASELINE, 8.0, threads=threads)[0]


@ours("thermal")
def thermal(counts: str, threads: int) -> Call:
    array = np.load(counts)
    return lambda: preprocess.thermal(array)


@ours("thermal16")
def thermal16(counts: str, threads: int) -> Call:
    array = np.load(counts)
    return lambda: preprocess.thermal(array, percentiles=(1, 99))


@ours("video-frame")
def video_frame(frame: str, threads: int) -> Call:
    decoded = av.VideoFrame.from_ndarray(np.load(frame), format="yuv420p")
    places = [(crop, crop, 0) for crop in range(3)]

    def run() -> Any:
        views = np.empty((3, 3, 1, c.SIDE, c.SIDE), np.float32)
        _core.video_crops(picture_of(decoded), views, places, threads=threads)
        return views[:, :, 0]

    return run
