"""OpenCV: other filters (it has no antialiased bicubic), here for its speed."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from bench.kernels.alternative import Call, alternative
from bench.kernels.libraries import constants as c

PACKAGES = ("opencv-python-headless", "numpy")
NOTE = "averages areas where we filter bicubically"
_BLOB = cv2.dnn.Image2BlobParams()
_BLOB.scalefactor = tuple(1 / (255 * s) for s in c.STD) + (1.0,)
_BLOB.mean = tuple(255 * m for m in c.MEAN) + (0.0,)


def normalised(rgb: np.ndarray) -> np.ndarray:
    """float32 ``[3, H, W]``."""
    blob: np.ndarray = cv2.dnn.blobFromImageWithParams(rgb, _BLOB)[0]
    return blob


def prepared(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    long, short = max(height, width), min(height, width)
    new_long = c.SIDE * long // short
    size = (new_long, c.SIDE) if width >= height else (c.SIDE, new_long)
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    top, left = (round((n - c.SIDE) / 2) for n in small.shape[:2])
    return normalised(small[top : top + c.SIDE, left : left + c.SIDE])


@alternative("image-file", "OpenCV", same_work=False, note=NOTE)
def image_file(path: str, threads: int) -> Call:
    cv2.setNumThreads(threads)
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    return lambda: prepared(cv2.imread(path, flags))


@alternative("image", "OpenCV", same_work=False, note=NOTE)
def image(pixels: str, threads: int) -> Call:
    cv2.setNumThreads(threads)
    array = np.load(pixels)
    return lambda: prepared(array)


@alternative("video-frame", "OpenCV", same_work=False, note="resizes in 8 bits, where we have floats")
def video_frame(frame: str, threads: int) -> Call:
    cv2.setNumThreads(threads)
    planes = np.load(frame)

    def run() -> Any:
        rgb = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)
        height, width = rgb.shape[:2]
        new_width = math.floor(c.SIDE * (width / height))
        small = normalised(cv2.resize(rgb, (new_width, c.SIDE), interpolation=cv2.INTER_LINEAR))
        starts = (0, math.ceil((new_width - c.SIDE) / 2), new_width - c.SIDE)
        return np.stack([small[:, :, start : start + c.SIDE] for start in starts])

    return run
