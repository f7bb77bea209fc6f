"""The numbers of the model's inputs, for environments without bindrt (docs/preprocessing.md)."""

from __future__ import annotations

import math

SIDE = 224
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
MEL_MEAN, MEL_STD, MEL_FRAMES = -4.268, 9.138, 204
FOCAL, BASELINE = 518.8579, 0.075
DISPARITY_MEAN, DISPARITY_STD = 0.0418, 0.0295


def clip_starts(duration: float, clips: int, seconds: float) -> list[float]:
    """Starts of clips that are spread evenly over ``duration``."""
    return [i * max(duration - seconds, 0) / (clips - 1) for i in range(clips)]


def frame_ranges(frames: int, fps: float) -> list[range]:
    """The frames of each of a video's five clips of 2 s."""
    starts = clip_starts(frames / fps, 5, 2.0)
    return [range(math.ceil(fps * s), min(math.ceil(fps * (s + 2)), frames)) for s in starts]
