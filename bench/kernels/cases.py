"""What is measured: pieces of work, the goals set for them, and how results may differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One piece of work.

    Attributes:
        op: the operation's name in the libraries' modules.
        inputs: what their functions take. Values that name a file of ``media`` are replaced by its path.
        kind: ``file`` (from a file on disk to the model's input) or ``op`` (one kernel, from memory).
        goal: the target: how many times faster than the original; None: there is none.
        tolerance: how much a result of the same work may differ from ours.
    """

    name: str
    title: str
    op: str
    kind: str
    inputs: dict[str, Any]
    threads: int = 1
    goal: float | None = None
    tolerance: float = 1e-4
    flops: float = field(default=0.0)  # of the arithmetic that cannot be avoided; 0: not a bound


def _file(name: str, title: str, op: str, file: str, **rest: Any) -> Case:
    return Case(name, title, op, "file", {"path": file}, **rest)


def _op(name: str, title: str, op: str, inputs: dict[str, Any], **rest: Any) -> Case:
    return Case(name, title, op, "op", inputs, **rest)


# Real FFT of 512 by 2.5 n log2 n halved, twice per band weight, a handful per sample and bin.
_MEL_FLOPS = 198 * (2.5 * 512 * 9 / 2 + 2 * 2 * 250 + 4 * 400 + 3 * 257)
# Two for each tap that is not zero, twelve zero crossings at 0.99 of the lower rate.
_RESAMPLE_FLOPS = 80000 * 2 * 12 * 44100 / (0.99 * 16000)


def _resize_flops(width: int, height: int, channels: int, support: int) -> float:
    """Operations of an antialiased resize to 224 × 224: rows first, two operations a tap.

    ``support`` is the filter's width in output pixels: 4 bicubic, 2 bilinear.
    """
    taps = support * min(width, height) / 224
    return 2 * channels * taps * 224 * (height + 224)


_WAV, _FLAC = "sound_5s_44k1_stereo.wav", "sound_30s_44k1_stereo.flac"
_MP4 = "video_5s_640x360_h264.mp4"
_SMALL_VIDEO = "video_6.4s_320x240_h264.mp4"
_WEBM = "video_5s_640x360_vp9.webm"
_MEL = 5e-2  # bands with next to no energy hold the original's own float32 noise
_VIDEO: dict[str, Any] = {"tolerance": 2e-3}
_VIDEO_2: dict[str, Any] = {**_VIDEO, "threads": 2, "goal": 8.0}

CASES = (
    _file("image-file-640x480", "JPEG 640 × 480", "image-file", "image_640x480.jpg", goal=2.5),
    _file("image-file-1080p", "JPEG 1920 × 1080", "image-file", "image_1920x1080.jpg", goal=3.0),
    _file("image-file-png", "PNG 640 × 480", "image-file", "image_640x480.png"),
    _file("audio-file-wav", "WAV 5 s 44.1 kHz stereo", "audio-file", _WAV, tolerance=_MEL, goal=5.0),
    _file("audio-file-flac", "FLAC 30 s 44.1 kHz stereo", "audio-file", _FLAC, tolerance=_MEL),
    _file("video-file-mp4", "H.264 5 s 640 × 360", "video-file", _MP4, **_VIDEO),
    _file("video-file-small", "H.264 6.4 s 320 × 240", "video-file", _SMALL_VIDEO, **_VIDEO),
    _file("video-file-webm", "VP9 5 s 640 × 360", "video-file", _WEBM, **_VIDEO),
    _file("video-file-mp4-2", "H.264 5 s 640 × 360", "video-file", _MP4, **_VIDEO_2),
    _file("video-file-small-2", "H.264 6.4 s 320 × 240", "video-file", _SMALL_VIDEO, **_VIDEO_2),
    _file("video-file-webm-2", "VP9 5 s 640 × 360", "video-file", _WEBM, **_VIDEO_2),
    _file("depth-file", "Depth PNG 640 × 480, 16 bits", "depth-file", "depth_640x480.png"),
    _file("thermal-file", "Thermal PNG 640 × 512, 8 bits", "thermal-file", "thermal_640x512_8bit.png"),
    _file("thermal16-file", "Thermal PNG 640 × 512, 16 bits", "thermal16-file", "thermal_640x512_16bit.png"),
    _file("imu-file", "IMU .npz 5 s 200 Hz", "imu-file", "imu_5s_200hz.npz"),
    _op(
        "resample",
        "resample 5 s 44.1 → 16 kHz",
        "resample",
        {"wave": "wave_5s_44k1.npy"},
        goal=3.0,
        tolerance=1e-5,
        flops=_RESAMPLE_FLOPS,
    ),
    _op(
        "mel",
        "log-mel of 2 s",
        "mel",
        {"clip": "clip_2s_16k.npy"},
        goal=5.0,
        tolerance=_MEL,
        flops=_MEL_FLOPS,
    ),
    _op(
        "image",
        "image from pixels 640 × 480",
        "image",
        {"pixels": "pixels_640x480.npy"},
        flops=_resize_flops(640, 480, 3, 4),
    ),
    _op(
        "image-1080p",
        "image from pixels 1920 × 1080",
        "image",
        {"pixels": "pixels_1920x1080.npy"},
        flops=_resize_flops(1920, 1080, 3, 4),
    ),
    _op(
        "video-frame",
        "one frame 640 × 360, YUV to three crops",
        "video-frame",
        {"frame": "frame_640x360_yuv420p.npy"},
        tolerance=2e-3,
    ),
    _op(
        "depth",
        "depth map 640 × 480",
        "depth",
        {"counts": "depth_640x480.npy"},
        flops=_resize_flops(640, 480, 1, 2),
    ),
    _op(
        "thermal",
        "thermal frame 640 × 512, 8 bits",
        "thermal",
        {"counts": "thermal_640x512_8bit.npy"},
        flops=_resize_flops(640, 512, 1, 4),
    ),
    _op(
        "thermal16",
        "thermal frame 640 × 512, 16 bits",
        "thermal16",
        {"counts": "thermal_640x512_16bit.npy"},
        flops=_resize_flops(640, 512, 1, 4),
    ),
    _op("imu", "IMU 5 s 200 Hz", "imu", {"recording": "imu_5s_200hz.npz"}),
    _op("pool", "mean of 15 views of 1024", "pool", {"views": "views_15x1024.npy"}),
)


def chosen(only: list[str]) -> list[Case]:
    """The cases whose name starts with one of ``only``; all if there are none."""
    return [case for case in CASES if not only or any(case.name.startswith(prefix) for prefix in only)]
