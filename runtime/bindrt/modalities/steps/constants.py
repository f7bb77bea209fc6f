"""The numbers of preprocessing, as the modalities name them.

Those that compute stand in C++, each in its op's header, and come from ``_core.constants()``. So a change of
a kernel's number changes what a bundle records and the space of its vectors. The rest stands here: what only
Python computes with. Sources: docs/preprocessing.md.
"""

from __future__ import annotations

from bindrt import _core

_CORE = _core.constants()
_IMAGE, _MEL, _RESAMPLE = _CORE["image"], _CORE["mel"], _CORE["resample"]
_DEPTH = _CORE["depth"]

SIDE: int = _IMAGE["side"]  # pixels of every input image's edges
IMAGE_MEAN: tuple[float, ...] = tuple(_IMAGE["mean"])  # CLIP's, for values 0..1
IMAGE_STD: tuple[float, ...] = tuple(_IMAGE["std"])

VIDEO_CLIPS = 5
VIDEO_CLIP_SECONDS = 2.0
VIDEO_FRAMES = 2  # per clip: the first and the last
VIDEO_CROPS: int = _CORE["video"]["crops"]

AUDIO_RATE: int = _MEL["rate"]  # Hz
AUDIO_CLIPS = 3
AUDIO_CLIP_SECONDS = 2.0
RESAMPLE_WIDTH: int = _RESAMPLE["width"]  # zero crossings of the low-pass on each side
RESAMPLE_ROLLOFF: float = _RESAMPLE["rolloff"]
MEL_BANDS: int = _MEL["bands"]
MEL_FRAMES: int = _MEL["frames"]
MEL_WINDOW: int = _MEL["window"]  # samples, 25 ms

TEXT_LENGTH = 77
TEXT_START = 49406
TEXT_END = 49407
VOCABULARY = TEXT_END + 1  # entries; the end token is the last

DEPTH_SCALE: float = _DEPTH["scale"]  # SUN RGB-D's counts are millimetres x 8
DEPTH_FOCAL: float = _DEPTH["focal"]  # pixels
DEPTH_BASELINE: float = _DEPTH["baseline"]  # metres

IMU_STEPS: int = _CORE["imu"]["steps"]
STANDARD_GRAVITY = 9.80665  # m/s² in one g

#: Focal length in pixels and baseline in metres of known cameras, for ``Depth(src, camera="xtion")``.
#: Focal lengths are SUN RGB-D's typical intrinsics of each sensor.
CAMERAS: dict[str, dict[str, float]] = {
    "kinect": {"focal": 518.8579, "baseline": 0.075},  # the first one
    "kinect1": {"focal": 518.8579, "baseline": 0.075},
    "kinect_v1": {"focal": 518.8579, "baseline": 0.075},
    "kinect2": {"focal": 529.5, "baseline": 0.075},
    "kinect_v2": {"focal": 529.5, "baseline": 0.075},
    "realsense": {"focal": 691.584229, "baseline": 0.095},
    "xtion": {"focal": 570.342224, "baseline": 0.095},
}


def of_core(op: str, **names: str) -> dict[str, object]:
    """An op's numbers in C++ as a modality's description has them.

    Args:
        op: a key of ``_core.constants()``.
        names: what the description calls a number, where that is not the op's own name for it.
    """
    numbers: dict[str, object] = dict(_CORE[op])
    return {names.get(name, name): value for name, value in numbers.items()}
