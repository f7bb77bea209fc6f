"""The numbers of preprocessing, as the modalities name them.

Those that compute stand in C++, each in its op's header, and come from ``_core.constants()``. So a change of
a kernel's number changes what a bundle records and the space of its vectors. Units, bounds and defaults of
items, which csrc/prepare needs as well, come from ``_core.item_numbers()``. The rest stands here: what only
Python computes with. Sources: docs/preprocessing.md.
"""

from __future__ import annotations

from typing import Any

from bindrt import _core

_CORE = _core.constants()
_IMAGE, _MEL, _RESAMPLE = _CORE["image"], _CORE["mel"], _CORE["resample"]
_DEPTH = _CORE["depth"]
_ITEMS = _core.item_numbers()
_AUDIO_ITEMS, _DEPTH_ITEMS = _ITEMS["audio"], _ITEMS["depth"]
_IMU_ITEMS, _THERMAL_ITEMS = _ITEMS["imu"], _ITEMS["thermal"]
_VIDEO_ITEMS = _ITEMS["video"]

SIDE: int = _IMAGE["side"]  # pixels of every input image's edges
IMAGE_MEAN: tuple[float, ...] = tuple(_IMAGE["mean"])  # CLIP's, for values 0..1
IMAGE_STD: tuple[float, ...] = tuple(_IMAGE["std"])

PICTURE: dict[str, Any] = _ITEMS["picture"]  # of picture files: csrc/prepare/picture_numbers.h

VIDEO_CLIPS: int = _VIDEO_ITEMS["clips"]
VIDEO_CLIP_SECONDS: float = _VIDEO_ITEMS["clip_seconds"]
VIDEO_FRAMES: int = _VIDEO_ITEMS["frames"]  # per clip: the first and the last
VIDEO_CROPS: int = _CORE["video"]["crops"]

AUDIO_RATE: int = _MEL["rate"]  # Hz
AUDIO_CLIPS: int = _AUDIO_ITEMS["clips"]
AUDIO_CLIP_SECONDS: float = _AUDIO_ITEMS["clip_seconds"]
#: Clips of recordings up to this length can overlap; only then do they share samples.
AUDIO_WHOLE_SECONDS: float = _AUDIO_ITEMS["whole_seconds"]
AUDIO_RATES: tuple[int, int] = (_AUDIO_ITEMS["least_rate"], _AUDIO_ITEMS["most_rate"])  # Hz
AUDIO_CHANNELS: int = _AUDIO_ITEMS["most_channels"]  # of a waveform
AUDIO_MOST: float = _AUDIO_ITEMS["most_sample"]  # full scale is 1; beyond, the power spectrum would overflow
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
STANDARD_GRAVITY: float = _IMU_ITEMS["gravity"]  # m/s² in one g
IMU_MAX_GAP: float = _IMU_ITEMS["max_gap"]  # seconds
IMU_MIN_SECONDS: float = _IMU_ITEMS["min_seconds"]
IMU_EPSILON: float = _IMU_ITEMS["epsilon"]  # seconds; rates such as 97.3 Hz are not exact in binary
IMU_MOST: float = _IMU_ITEMS["most"]  # m/s² or rad/s, after the conversion
#: The mean acceleration of a recording in g lies between these; one in m/s² has about 9.8.
LEAST_G: float = _IMU_ITEMS["least_g"]
MOST_G: float = _IMU_ITEMS["most_g"]

#: Focal length in pixels and baseline in metres of known cameras, for ``Depth(src, camera="xtion")``.
CAMERAS: dict[str, dict[str, float]] = _DEPTH_ITEMS["cameras"]
METRE_COUNTS: dict[str, float] = _DEPTH_ITEMS["counts"]  # counts of one metre, by unit
#: A model's scale outside this range is a scale of counts: 0.001 (RealSense), 1000 or 5000 (Open3D, TUM).
MODEL_SCALES: tuple[float, float] = (_DEPTH_ITEMS["least_scale"], _DEPTH_ITEMS["most_scale"])
ANY_CAMERA: float = _DEPTH_ITEMS["any_camera"]  # metres, millimetres or °C: more than any camera measures

KELVIN_COUNTS: dict[str, float] = _THERMAL_ITEMS["counts"]  # counts of one kelvin, by unit
#: Counts between these may be hundredths of a kelvin: -73 to 327 °C.
CENTIKELVIN: tuple[int, int] = (_THERMAL_ITEMS["least_centikelvin"], _THERMAL_ITEMS["most_centikelvin"])


def of_core(op: str, **names: str) -> dict[str, object]:
    """An op's numbers in C++ as a modality's description has them.

    Args:
        op: a key of ``_core.constants()``.
        names: what the description calls a number, where that is not the op's own name for it.
    """
    numbers: dict[str, object] = dict(_CORE[op])
    return {names.get(name, name): value for name, value in numbers.items()}
