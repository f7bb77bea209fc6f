"""The video arithmetic in NumPy, as the runtime first had it: the reference for the kernels."""

from __future__ import annotations

import math

import numpy as np

from bindrt.modalities.steps.constants import IMAGE_MEAN, IMAGE_STD, SIDE

Taps = tuple[np.ndarray, np.ndarray, np.ndarray]


def views_of(frame: np.ndarray) -> np.ndarray:
    """Start, middle and end crop of a frame uint8 ``[H, W, 3]``: float32 ``[3 crops, 3, 224, 224]``."""
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (IMAGE_MEAN, IMAGE_STD))
    return np.asarray((three_crops(frame) / np.float32(255) - mean) / std)


def three_crops(frame: np.ndarray) -> np.ndarray:
    """The same before normalisation, 0..255.

    Shorter side to 224, longer to ``floor(224·long/short)``, bilinear without antialiasing, pixel
    centres at half.
    """
    height, width = frame.shape[:2]
    tall = height > width
    long, short = max(height, width), min(height, width)
    new_long = math.floor(long / short * SIDE)
    offsets = (0, math.ceil((new_long - SIDE) / 2), new_long - SIDE)
    along = np.concatenate([np.arange(o, o + SIDE) for o in offsets])
    across = np.arange(SIDE)
    if tall:
        out = _bilinear(frame, _taps(along, height, new_long), _taps(across, width, SIDE))
        crops = out.reshape(3, SIDE, SIDE, 3)
    else:
        out = _bilinear(frame, _taps(across, height, SIDE), _taps(along, width, new_long))
        crops = out.reshape(SIDE, 3, SIDE, 3).transpose(1, 0, 2, 3)
    return np.ascontiguousarray(crops.transpose(0, 3, 1, 2))


def _taps(at: np.ndarray, size: int, new_size: int) -> Taps:
    """Lower neighbour, upper neighbour and the upper one's weight, in float32 as the original's."""
    scale = np.float32(size) / np.float32(new_size)
    position = np.maximum(scale * (at.astype(np.float32) + np.float32(0.5)) - np.float32(0.5), 0)
    low = np.minimum(position.astype(np.int64), size - 1)
    high = np.minimum(low + 1, size - 1)
    return low, high, (position - low.astype(np.float32)).astype(np.float32)


def _bilinear(frame: np.ndarray, rows: Taps, columns: Taps) -> np.ndarray:
    y0, y1, wy = rows
    x0, x1, wx = columns
    wx, wy = wx[None, :, None], wy[:, None, None]

    def line(y: np.ndarray) -> np.ndarray:
        picked = frame[y]
        return np.asarray(picked[:, x0] * (1 - wx) + picked[:, x1] * wx)

    return np.asarray(line(y0) * (1 - wy) + line(y1) * wy)


def yuv_to_rgb(
    y: np.ndarray, u: np.ndarray, v: np.ndarray, shares: tuple[float, float], full: bool
) -> np.ndarray:
    """RGB of 4:2:0 planes in 13-bit fixed point, from the luma shares of red and blue."""
    red, blue = shares
    green = 1 - red - blue
    luma, chroma = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    to_red, to_blue = 2 * (1 - red) * chroma, 2 * (1 - blue) * chroma
    height, width = y.shape

    def spread(plane: np.ndarray) -> np.ndarray:
        large = plane.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
        return (large.astype(np.int64) - 128) * 8

    def times(values: np.ndarray, factor: float) -> np.ndarray:
        return (values * round(factor * 8192)) >> 16

    grey = times(y.astype(np.int64) * 8 - (0 if full else 128), luma)
    du, dv = spread(u), spread(v)
    channels = (
        grey + times(dv, to_red),
        grey + times(du, -to_blue * blue / green) + times(dv, -to_red * red / green),
        grey + times(du, to_blue),
    )
    return np.stack(channels, axis=-1).clip(0, 255).astype(np.uint8)
