"""What is embedded: files, pictures of several sizes, and arrays that are on the device already."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import soundfile
import torch

import bindrt
from bindrt.benchmark import synthetic

#: JPEG files: one as phones of 20 years ago made it, a frame of HD video, and 12 megapixels.
PICTURES = ((640, 480), (1920, 1080), (4000, 3000))


def pictures(width: int, height: int, count: int = 4) -> list[bytes]:
    """The bytes of JPEG files that differ."""
    found = []
    for number in range(count):
        file = io.BytesIO()
        pixels = synthetic.photograph(width, height, 1)  # it takes seconds to make a large one
        PIL.Image.fromarray(np.roll(pixels, 16 * number, axis=1)).save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found


def on_device(modality: str, item: Any, device: torch.device) -> Any:
    """A file's decoded content as an item on a device; None where the modality has no such items.

    Args:
        item: the file's path; of a picture also its bytes.
    """
    maker = ARRAYS.get(modality)
    return None if maker is None else maker(item, device)


def _pixels(item: str | bytes, device: torch.device) -> torch.Tensor:
    with PIL.Image.open(io.BytesIO(item) if isinstance(item, bytes) else item) as picture:
        return torch.from_numpy(np.array(picture)).to(device)


def _sound(path: str, device: torch.device) -> bindrt.Audio:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return bindrt.Audio(torch.from_numpy(np.ascontiguousarray(samples.T)).to(device), rate=rate)


def _motion(path: str, device: torch.device) -> bindrt.Imu:
    with np.load(path) as held:
        samples = torch.from_numpy(held["samples"].astype(np.float32)).to(device)
        return bindrt.Imu(samples, timestamps=held["t"])


ARRAYS: dict[str, Callable[[Any, torch.device], Any]] = {
    "image": _pixels,
    "audio": _sound,
    "depth": lambda path, device: bindrt.Depth(_pixels(path, device), unit="mm"),
    "thermal": lambda path, device: bindrt.Thermal(_pixels(path, device)),
    "imu": _motion,
}
