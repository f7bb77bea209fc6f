"""torchvision's other way: decoders and resizes on uint8 tensors, without Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torchvision.io import ImageReadMode, decode_image, read_file
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from bench.kernels.alternative import Call, alternative
from bench.kernels.libraries import constants as c

PACKAGES = ("torch", "torchvision")
NAME, NOTE = "torchvision on tensors", "its 8-bit bicubic rounds a few pixels differently"

torch.set_grad_enabled(False)
MEAN, STD = list(c.MEAN), list(c.STD)


def prepared(pixels: torch.Tensor) -> torch.Tensor:
    small = vision.resize(pixels, [c.SIDE], InterpolationMode.BICUBIC, antialias=True)
    square = vision.center_crop(small, [c.SIDE])
    return vision.normalize(vision.to_dtype(square, torch.float32, scale=True), MEAN, STD)


@alternative("image-file", NAME, same_work=False, note=NOTE)
def image_file(path: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    return lambda: prepared(decode_image(read_file(path), ImageReadMode.RGB))


@alternative("image", NAME, same_work=False, note=NOTE)
def image(pixels: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    # Channels last in memory, as its decoder gives them.
    tensor: Any = torch.from_numpy(np.load(pixels)).permute(2, 0, 1)
    return lambda: prepared(tensor)


@alternative("image-file", "decoding (torchvision)", "limit")
def decoded(path: str, threads: int) -> Call:
    def run() -> None:
        decode_image(read_file(path), ImageReadMode.RGB)

    return run
