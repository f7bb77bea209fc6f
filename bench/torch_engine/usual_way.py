"""The usual way from JPEG bytes to vectors on a GPU: torchvision decodes, torch resizes, the module runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from bench.torch_engine.engine import TorchEngine
from bench.torch_engine.measure import finish
from bindrt import _core

_NUMBERS: Any = _core.constants()["image"]
SIDE: int = _NUMBERS["side"]


def decoder(device: torch.device) -> Callable[[Sequence[bytes]], list[Tensor]]:
    """From the bytes of JPEG files to pixels ``[3, H, W]`` on the device.

    Raises:
        ImportError: torchvision is not installed.
    """
    from torchvision.io import decode_jpeg

    def decode(files: Sequence[bytes]) -> list[Tensor]:
        given = [torch.from_numpy(np.frombuffer(file, np.uint8).copy()) for file in files]
        found: Any = decode_jpeg(given, mode="RGB", device=str(device))
        return list(found)

    return decode


def prepared(pixels: Tensor) -> Tensor:
    """``[3, 224, 224]`` float32: the short side resized, the centre cut out, normalised."""
    height, width = pixels.shape[-2:]
    short = min(height, width)
    size = [max(SIDE, SIDE * height // short), max(SIDE, SIDE * width // short)]
    resized = interpolate(pixels[None].float(), size, mode="bicubic", antialias=True).clamp(0, 255)[0]
    top, left = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    mean, std = (torch.tensor(_NUMBERS[n], device=pixels.device)[:, None, None] for n in ("mean", "std"))
    return (resized[:, top : top + SIDE, left : left + SIDE] / 255 - mean) / std


def vectors(
    engine: TorchEngine, decode: Callable[[Sequence[bytes]], list[Tensor]], files: Sequence[bytes]
) -> Tensor:
    """Unit vectors of a batch of files, on the device."""
    rows = torch.stack([prepared(pixels) for pixels in decode(files)])
    found = engine.forward(rows[:, :, None].expand(-1, -1, 2, -1, -1))  # a still image is one frame twice
    return torch.nn.functional.normalize(found, dim=-1)


def rate(engine: TorchEngine, files: Sequence[bytes], seconds: float) -> float:
    """Files a second, a full batch after the other."""
    decode = decoder(engine.torch_device)
    batch = list(islice(cycle(files), engine.max_batch))
    calls = 0
    with torch.inference_mode(), engine.on_own_stream():
        vectors(engine, decode, batch)
        finish(engine.torch_device)
        begin = perf_counter()
        while not calls or perf_counter() - begin < seconds:
            vectors(engine, decode, batch).cpu()
            calls += 1
    return calls * len(batch) / (perf_counter() - begin)
