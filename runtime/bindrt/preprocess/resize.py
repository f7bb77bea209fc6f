"""Resizing and cropping, with the arithmetic of each modality's original."""

from __future__ import annotations

import math

import PIL.Image

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
