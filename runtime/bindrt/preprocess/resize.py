"""Resizing and cropping, with the arithmetic of each modality's original."""

from __future__ import annotations

import math

import numpy as np
import PIL.Image

from bindrt.arrays import Array
from bindrt.preprocess.constants import SIDE

_MAX_LONG = 65536  # a longer resized side is not made whole: only its middle is kept anyway


def centre_square(picture: PIL.Image.Image, method: PIL.Image.Resampling) -> PIL.Image.Image:
    """Shorter side to 224, longer to ``int(224·long/short)``, antialiased; then the centre 224 x 224.

    Offsets are ``round((side - 224)/2)``, halves to even. Works on 8-bit modes and mode ``F``.
    """
    width, height = picture.size
    new_long = int(SIDE * max(width, height) / min(width, height))
    new_size = (SIDE, new_long) if width <= height else (new_long, SIDE)
    left, top = (round((n - SIDE) / 2) for n in new_size)
    if new_long > _MAX_LONG:
        return _centre_of_long(picture, method, new_long, max(left, top))
    resized = picture.resize(new_size, method)
    return resized.crop((left, top, left + SIDE, top + SIDE))


def _centre_of_long(
    picture: PIL.Image.Image, method: PIL.Image.Resampling, new_long: int, offset: int
) -> PIL.Image.Image:
    """The same for a picture that would become very long: only what the centre depends on is resized."""
    width, height = picture.size
    long = max(width, height)
    scale = long / new_long
    margin = math.ceil(2 * max(scale, 1)) + 1  # the bicubic filter reaches two pixels of the coarser grid
    low = max(int(offset * scale) - margin, 0)
    high = min(math.ceil((offset + SIDE) * scale) + margin, long)
    begin, end = offset * scale - low, min((offset + SIDE) * scale - low, high - low)
    # Two calls fix the order of the passes, horizontal first, as Pillow's usually is; Pillow 13 chooses.
    if height >= width:
        wide = picture.crop((0, low, width, high)).resize((SIDE, high - low), method)
        return wide.resize((SIDE, SIDE), method, box=(0, begin, SIDE, end))
    narrow = picture.crop((low, 0, high, height)).resize((SIDE, height), method, box=(begin, 0, end, height))
    return narrow.resize((SIDE, SIDE), method)


def three_crops(frame: Array) -> Array:
    """Start, middle and end crop of a frame uint8 ``[H, W, 3]``: float32 ``[3 crops, 3, 224, 224]``, 0..255.

    Shorter side to 224, longer to ``floor(224·long/short)``, bilinear without antialiasing, pixel
    centres at half. Only the pixels of the crops are computed.
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


def _taps(at: Array, size: int, new_size: int) -> tuple[Array, Array, Array]:
    """Lower neighbour, upper neighbour and the upper one's weight, in float32 as the original's."""
    scale = np.float32(size) / np.float32(new_size)
    position = np.maximum(scale * (at.astype(np.float32) + np.float32(0.5)) - np.float32(0.5), 0)
    low = np.minimum(position.astype(np.int64), size - 1)
    high = np.minimum(low + 1, size - 1)
    return low, high, (position - low.astype(np.float32)).astype(np.float32)


def _bilinear(frame: Array, rows: tuple[Array, Array, Array], columns: tuple[Array, Array, Array]) -> Array:
    y0, y1, wy = rows
    x0, x1, wx = columns
    wx, wy = wx[None, :, None], wy[:, None, None]

    def line(y: Array) -> Array:
        picked = frame[y]
        return np.asarray(picked[:, x0] * (1 - wx) + picked[:, x1] * wx)

    return np.asarray(line(y0) * (1 - wy) + line(y1) * wy)
