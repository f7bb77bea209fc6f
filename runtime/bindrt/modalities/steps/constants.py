"""The numbers of preprocessing, in one place; bundles record them per modality.

Sources: the published transforms of the original as spec'd in ``docs/preprocessing.md``.
"""

from __future__ import annotations

SIDE = 224  # pixels of every picture's edges
IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP, for values 0..1
IMAGE_STD = (0.26862954, 0.26130258, 0.27577711)

VIDEO_CLIPS = 5
VIDEO_CLIP_SECONDS = 2.0
VIDEO_FRAMES = 2  # per clip: the first and the last
VIDEO_CROPS = 3

AUDIO_RATE = 16000  # Hz
AUDIO_CLIPS = 3
AUDIO_CLIP_SECONDS = 2.0
RESAMPLE_WIDTH = 6  # zero crossings of the low-pass on each side
RESAMPLE_ROLLOFF = 0.99
MEL_BANDS = 128
MEL_FRAMES = 204
MEL_WINDOW = 400  # samples, 25 ms
MEL_HOP = 160  # samples, 10 ms
MEL_FFT = 512
MEL_LOW = 20.0  # Hz
MEL_HIGH = 8000.0  # Hz
MEL_PREEMPHASIS = 0.97
MEL_FLOOR = 1.1920928955078125e-07  # float32 epsilon
MEL_MEAN = -4.268
MEL_STD = 9.138

TEXT_LENGTH = 77
TEXT_START = 49406
TEXT_END = 49407

DEPTH_SCALE = 8.0  # SUN RGB-D's counts are millimetres x 8
DEPTH_FOCAL = 518.8579  # pixels
DEPTH_BASELINE = 0.075  # metres
DEPTH_NEAREST = 0.01  # effective depth
DEPTH_FARTHEST = 50.0
DISPARITY_MIN = 0.01  # pixels
DISPARITY_MAX = 75.0
DISPARITY_MEAN = 0.0418
DISPARITY_STD = 0.0295

IMU_RATE = 400.0  # Hz
IMU_STEPS = 2000
STANDARD_GRAVITY = 9.80665  # m/s² in one g

#: Focal length in pixels and baseline in metres of known cameras, for ``Depth(src, **CAMERAS["xtion"])``.
#: Focal lengths are SUN RGB-D's typical intrinsics of each sensor.
CAMERAS: dict[str, dict[str, float]] = {
    "kinect_v1": {"focal": 518.8579, "baseline": 0.075},
    "kinect_v2": {"focal": 529.5, "baseline": 0.075},
    "realsense": {"focal": 691.584229, "baseline": 0.095},
    "xtion": {"focal": 570.342224, "baseline": 0.095},
}

#: What the space knows of the pixels of images and videos.
PICTURE: dict[str, object] = {"side": SIDE, "mean": list(IMAGE_MEAN), "std": list(IMAGE_STD)}
