"""False colours, and pictures as a browser takes them."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image

from bindrt.arrays import Array

#: The longest side of a picture.
SIDE = 480
#: From cold, far or silent to hot, near or loud: red, green, blue at even distances.
_STOPS = (
    (2, 2, 14), (52, 14, 92), (122, 28, 108), (190, 48, 82), (236, 96, 42), (250, 170, 34), (252, 250, 190),
)  # fmt: skip


def false_colours(shares: Array, missing: Array | None = None) -> Array:
    """Colours uint8 ``[H, W, 3]`` of shares ``[H, W]`` between 0 and 1; black where ``missing``."""
    places = np.linspace(0, 1, len(_STOPS))
    steps = np.linspace(0, 1, 256)
    table = np.stack([np.interp(steps, places, channel) for channel in np.transpose(_STOPS)], axis=1)
    colours = table.astype(np.uint8)[(np.clip(shares, 0, 1) * 255).astype(np.uint8)]
    if missing is not None:
        colours[missing] = 0
    return colours


def thinned(pixels: Array) -> Array:
    """Every n-th row and column, so that no side is much longer than is shown."""
    step = max(1, max(pixels.shape[:2]) // (2 * SIDE))
    return pixels[::step, ::step]


def as_jpeg(picture: PIL.Image.Image) -> tuple[str, bytes]:
    """The type and the bytes of a picture."""
    picture.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=80)
    return "image/jpeg", file.getvalue()
