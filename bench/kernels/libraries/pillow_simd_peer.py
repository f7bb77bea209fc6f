"""Pillow-SIMD: the original's way without torchvision, on a Pillow compiled for AVX2."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from bench.kernels.alternative import Call, alternative
from bench.kernels.libraries import constants as c

PACKAGES = ("pillow-simd", "numpy")
NAME = "Pillow-SIMD + NumPy"
NOTE = "some pixels differ by 1 of 255 from Pillow's"
# (p/255 - mean)/std as one multiplication and one addition.
_SCALE = np.array([1 / (255 * s) for s in c.STD], np.float32)[:, None, None]
_SHIFT = np.array([m / s for m, s in zip(c.MEAN, c.STD, strict=True)], np.float32)[:, None, None]


def prepared(picture: Image.Image) -> np.ndarray:
    width, height = picture.size
    long, short = max(height, width), min(height, width)
    new_long = int(c.SIDE * long / short)
    size = (new_long, c.SIDE) if width >= height else (c.SIDE, new_long)
    small = picture.resize(size, Image.Resampling.BICUBIC)
    left, top = (round((n - c.SIDE) / 2) for n in size)
    square = np.asarray(small.crop((left, top, left + c.SIDE, top + c.SIDE)))
    out: np.ndarray = square.transpose(2, 0, 1) * _SCALE
    out -= _SHIFT
    return out


@alternative("image-file", NAME, same_work=False, note=NOTE)
def image_file(path: str, threads: int) -> Call:
    def run() -> Any:
        with open(path, "rb") as file:
            return prepared(Image.open(file).convert("RGB"))

    return run


@alternative("image", NAME, same_work=False, note=NOTE)
def image(pixels: str, threads: int) -> Call:
    picture = Image.fromarray(np.load(pixels))
    return lambda: prepared(picture)
