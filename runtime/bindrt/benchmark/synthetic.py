"""Synthetic images, sounds and videos, made from seeds, that cost decoders what real ones do.

Images have the spectrum of photographs (amplitude falls with frequency) with edges and grain; videos pan over
such an image.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageDraw

Pixels = npt.NDArray[np.uint8]
SOUND_RATE = 44100


@cache
def photograph(width: int, height: int, seed: int) -> Pixels:
    """An image, uint8 ``[height, width, 3]``."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    cells, amplitude = 3, 70.0
    while cells < width // 2:
        noise = rng.normal(0, amplitude, (max(cells * height // width, 2), cells, 3)).astype(np.float32)
        noise = 0.7 * noise.mean(axis=2, keepdims=True) + 0.3 * noise  # colours follow brightness
        for channel in range(3):
            layer = PIL.Image.fromarray(np.ascontiguousarray(noise[..., channel]))
            total[..., channel] += np.asarray(layer.resize((width, height), PIL.Image.Resampling.BICUBIC))
        cells, amplitude = cells * 2, amplitude * 0.55
    image = PIL.Image.fromarray((total + 120).clip(0, 255).astype(np.uint8))
    draw = PIL.ImageDraw.Draw(image)
    for _ in range(24):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(width // 40, width // 6, 2)
        colour = tuple(int(c) for c in rng.integers(20, 230, 3))
        shape: Any = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((int(x), int(y), int(x + w), int(y + h)), outline=colour, width=max(width // 200, 2))
    grain = rng.normal(0, 3, (height, width, 1))
    return (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)


def smooth(width: int, height: int, seed: int) -> npt.NDArray[np.float64]:
    """One channel of a photograph, within 0..1."""
    return photograph(width, height, seed)[..., 1].astype(np.float64) / 255


def sound(seconds: float, seed: int) -> npt.NDArray[np.float32]:
    """Tones with vibrato and bursts of noise at ``SOUND_RATE``, float32 ``[samples, 2]`` within -0.9..0.9."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * SOUND_RATE)) / SOUND_RATE
    left = np.zeros_like(t)
    for frequency in (110, 221, 443, 887, 1770, 3545, 7080):
        vibrato = 3 * np.sin(2 * np.pi * rng.uniform(3, 7) * t)
        left += 30 / frequency**0.9 * np.sin(2 * np.pi * frequency * t + vibrato)
    burst = (np.sin(2 * np.pi * 2 * t) > 0.6) * rng.normal(0, 0.1, len(t))
    both = np.stack((left + burst, 0.8 * np.roll(left, 200) + rng.normal(0, 0.02, len(t))), axis=1)
    scaled: npt.NDArray[np.float32] = (0.9 * both / np.abs(both).max()).astype(np.float32)
    return scaled


def video(width: int, height: int, count: int) -> Iterator[Pixels]:
    """Frames of a video: a window that moves over a larger image, with grain that changes."""
    world = photograph(width * 3 // 2, height * 3 // 2, 6)
    rng = np.random.default_rng(7)
    for i in range(count):
        x = int((np.sin(i / 40) + 1) / 2 * (world.shape[1] - width))
        y = int((np.cos(i / 55) + 1) / 2 * (world.shape[0] - height))
        grain = rng.normal(0, 2, (height, width, 1))
        yield (world[y : y + height, x : x + width] + grain).clip(0, 255).astype(np.uint8)


def motion(seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """IMU samples ``[6, 1010]`` at about 200 Hz, and their times."""
    rng = np.random.default_rng(seed)
    t = np.arange(1010) / 200 + rng.uniform(-0.0005, 0.0005, 1010)
    return np.cumsum(rng.normal(0, 0.05, (6, 1010)), axis=1).astype(np.float32), t
