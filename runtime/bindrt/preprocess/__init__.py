"""Files, arrays and sensor samples to the model's inputs, as the original computes them.

Every function raises :class:`bindrt.InputError` (of which :class:`bindrt.SourceError` and
:class:`bindrt.LimitError` are kinds) for bad input. The error names the item and says what would be right.
Every function takes ``limits``, the bounds on what one item may decode to.
"""

from bindrt.modalities.imu import windows
from bindrt.modalities.steps.constants import CAMERAS
from bindrt.preprocess.detection import detect
from bindrt.preprocess.dispatch import describe
from bindrt.preprocess.functions import audio, depth, image, imu, prepare, text, thermal, video

__all__ = [
    "CAMERAS",
    "audio",
    "depth",
    "describe",
    "detect",
    "image",
    "imu",
    "prepare",
    "text",
    "thermal",
    "video",
    "windows",
]
