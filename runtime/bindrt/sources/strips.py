"""The pixels of a large picture, some rows at a time: Pillow's own copy to an array holds them twice more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import PIL.Image

from bindrt.arrays import Array

_STRIP_PIXELS = 1 << 20


def strips(picture: PIL.Image.Image) -> Iterator[tuple[slice, PIL.Image.Image]]:
    """The rows of each strip, and the strip, from top to bottom."""
    rows = max(_STRIP_PIXELS // picture.width, 1)
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        yield slice(top, bottom), picture.crop((0, top, picture.width, bottom))


def as_array(picture: PIL.Image.Image) -> Array:
    """The same as ``numpy.asarray(picture)``, with half of the memory."""
    if picture.width * picture.height <= _STRIP_PIXELS:
        return np.asarray(picture)
    out: Array | None = None
    for rows, strip in strips(picture):
        values = np.asarray(strip)
        if out is None:
            out = np.empty((picture.height, *values.shape[1:]), values.dtype)
        out[rows] = values
    assert out is not None  # a picture has rows
    return out
