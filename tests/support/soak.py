"""What soak tests embed, and how they see what a process holds."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import random
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import bindrt
from support.golden import HERE

INPUTS = HERE / "inputs"
GOOD: dict[str, list[Any]] = {
    "image": [INPUTS / "image" / n for n in ("photo.webp", "palette.png", "tiny.png", "exif_rotated.jpg")],
    "video": [INPUTS / "video/short_1s2.mp4", bindrt.Video(np.zeros((8, 40, 60, 3), np.uint8), fps=4)],
    "text": ["a dog", "", "a photograph of a very small car on a long road", "é 名前"],
    "audio": [INPUTS / "audio/short_8k.wav", INPUTS / "audio/dc_offset_16k.wav"],
    "depth": [INPUTS / "depth/d2.png", np.linspace(1, 4, 3000, dtype=np.float32).reshape(50, 60)],
    "thermal": [INPUTS / "thermal/t2.png", np.arange(2500, dtype=np.uint8).reshape(50, 50)],
    "imu": [INPUTS / "imu/s2.npz", bindrt.Imu(np.ones((6, 1000), np.float32), rate=200)],
}


def form(item: Any, rng: random.Random) -> Any:
    """A file as its path, its bytes or an open stream; anything else as it is."""
    if not isinstance(item, Path) or item.suffix in (".npz", ".npy"):
        return item
    return rng.choice((item, str(item), item.read_bytes(), BytesIO(item.read_bytes())))


def held() -> tuple[int, int]:
    """Resident bytes and open descriptors of this process, without what the allocator keeps for later."""
    gc.collect()
    with contextlib.suppress(AttributeError):  # glibc's alone
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss, len(os.listdir("/proc/self/fd"))
