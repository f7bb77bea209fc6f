"""The video transform in torch, which several libraries share."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from bench.kernels.libraries import constants as c


def three_crops(frames: torch.Tensor) -> torch.Tensor:
    """Three crops ``[3, colours, frames, 224, 224]`` of float frames ``[colours, frames, H, W]``, 0..255."""
    height, width = frames.shape[2:]
    long, short = max(height, width), min(height, width)
    new_long = math.floor(c.SIDE * (long / short))
    size = (c.SIDE, new_long) if width >= height else (new_long, c.SIDE)
    small = functional.interpolate(frames / 255.0, size=size, mode="bilinear", align_corners=False)
    mean, std = (torch.tensor(v)[:, None, None, None] for v in (c.MEAN, c.STD))
    small = (small - mean) / std
    starts = (0, math.ceil((new_long - c.SIDE) / 2), new_long - c.SIDE)
    axis = 3 if width >= height else 2
    return torch.stack([small.narrow(axis, start, c.SIDE) for start in starts])
