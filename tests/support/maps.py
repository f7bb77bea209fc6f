"""What depth maps and thermal frames become, by NumPy and Pillow: the references of the compiled ops."""

from __future__ import annotations

import numpy as np
import PIL.Image
from hypothesis import strategies as st

SIDE = 224
DTYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">i4", ">f4", "g")


def centre_square(values: np.ndarray, method: PIL.Image.Resampling) -> np.ndarray:
    """Shorter side to 224 by Pillow (mode L or F), centre crop."""
    height, width = values.shape
    long = int(SIDE * max(width, height) / min(width, height))
    size = (SIDE, long) if width <= height else (long, SIDE)
    left, top = (round((n - SIDE) / 2) for n in size)
    resized = PIL.Image.fromarray(values).resize(size, method)
    return np.asarray(resized.crop((left, top, left + SIDE, top + SIDE)))


def depth(
    values: np.ndarray, unit: str, focal: float, baseline: float, scale: float, missing: str
) -> tuple[np.ndarray, int]:
    """Normalised disparity, and how many pixels are missing."""
    gone = ~np.isfinite(values) | (values <= 0)
    numbers = np.where(gone, 1, values).astype(np.float64)
    if unit == "sunrgbd":
        counts = values.astype(np.int64) & 0xFFFF
        numbers = ((counts >> 3 | counts << 13) & 0xFFFF) / 1000.0
        numbers = np.minimum(numbers, 8)
    elif unit == "mm":
        numbers = numbers / 1000
    if unit == "disparity":
        pixels = numbers
    else:
        pixels = baseline * focal / np.clip(numbers * scale, 0.01, 50)
    pixels[gone] = baseline * focal / (50 if missing == "farthest" else 0.01)
    scaled = (np.clip(pixels, 0.01, 75) / 75).astype(np.float32)
    square = centre_square(scaled, PIL.Image.Resampling.BILINEAR).astype(np.float64)
    return ((square - 0.0418) / 0.0295)[None], int(gone.sum())


def thermal(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Stretched from ``low..high`` to 0..1."""
    scaled = ((values.astype(np.float64) - low) / (high - low)).clip(0, 1).astype(np.float32)
    return centre_square(scaled, PIL.Image.Resampling.BICUBIC).clip(0, 1)[None]


@st.composite
def arrays(draw: st.DrawFn, dtypes: tuple[str, ...] = DTYPES, most: float = 127) -> np.ndarray:
    """Maps of any dtype, size and layout, numbers from about 0 up to ``most``."""
    height, width = draw(st.tuples(st.integers(1, 120), st.integers(1, 120)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = random.uniform(-0.1 * most, most, (height, width)).clip(0).astype(draw(st.sampled_from(dtypes)))
    layout = draw(st.sampled_from(["plain", "turned", "flipped", "stepped", "part", "misaligned"]))
    if layout == "turned":
        values = np.asfortranarray(values)
    elif layout == "flipped":
        values = values[::-1]
    elif layout == "stepped":
        values = np.repeat(values, 2, axis=1)[:, ::2]
    elif layout == "part":
        values = np.pad(values, 2)[2:-2, 2:-2]
    elif layout == "misaligned":
        memory = np.zeros(values.nbytes + 1, np.uint8)[1:]
        shifted = memory.view(values.dtype).reshape(values.shape)
        shifted[...] = values
        values = shifted
    return values
