"""Pixels to the vision encoder's numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from bindrt.arrays import Array
from bindrt.preprocess.constants import IMAGE_MEAN, IMAGE_STD


def normalise_bytes(rgb: Array) -> Array:
    """``(p/255 - mean)/std`` of uint8 ``[H, W, 3]``, as float32 ``[3, H, W]``."""
    out = np.empty((3, *rgb.shape[:2]), np.float32)
    table = _table()
    for channel in range(3):
        np.take(table[channel], rgb[..., channel], out=out[channel])
    return out


def normalise_floats(crops: Array) -> Array:
    """``(x/255 - mean)/std`` of float32 ``[..., 3, H, W]`` with values 0..255."""
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (IMAGE_MEAN, IMAGE_STD))
    out: Array = (crops / np.float32(255) - mean) / std
    return out


@lru_cache(maxsize=1)
def _table() -> Array:
    values = np.arange(256, dtype=np.float32) / np.float32(255)
    mean, std = (np.array(v, np.float32)[:, None] for v in (IMAGE_MEAN, IMAGE_STD))
    table: Array = (values[None] - mean) / std
    return table
