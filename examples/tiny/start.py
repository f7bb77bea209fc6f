"""Where training starts: weights that see the data from the first step.

A stem of small random numbers sees mostly a patch's mean level: depth and heat vary little within a
patch. So a stem starts as the leading directions of the patches' second moments, each scaled to unit
mean square, and positions as sines and cosines.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bindrt_export.architecture import Encoder
from bindrt_export.architecture.stem import ImuStem
from tiny.fast import patches_of

FLOOR = 1e-4  # of the largest mean square: directions below it are noise and stay small
POSITION = 0.3  # against tokens of about unit size
MOTION = 1 / 3  # of the vision stem's directions see the difference of the two frames


def start_stem(encoder: Encoder, examples: Tensor) -> None:
    """Sets patch weights and positions from some inputs ``[B, …]``."""
    stem, config = encoder.stem, encoder.config
    patches, _ = patches_of(encoder, examples, 1.0)
    patches = patches.flatten(0, 1).double()
    if config.name == "vision":  # [N, 3 · 2 · 14 · 14]: the sum and the difference of two frames
        first, last = patches.reshape(len(patches), 3, 2, -1).unbind(2)
        moving, shape = int(config.width * MOTION), (-1, 3, 1, first.shape[-1])
        still = leading((first + last).flatten(1) / 2, config.width - moving).reshape(shape)
        motion = leading((last - first).flatten(1) / 2, moving).reshape(shape)
        weight = torch.cat([torch.cat([still, still], 2), torch.cat([-motion, motion], 2)]).flatten(1) / 2
    else:
        weight = leading(patches, config.width)
    with torch.no_grad():
        if isinstance(stem, ImuStem):
            stem.patch.weight.copy_(weight.t())
        else:
            stem.patch.weight.copy_(weight.reshape(stem.patch.weight.shape))
        stem.position[0, 1:] = POSITION * waves(encoder)


def leading(patches: Tensor, count: int) -> Tensor:
    """``[count, F]``: directions of the largest mean squares, scaled to give unit mean squares.

    With fewer features than directions the rest are random mixtures of them.
    """
    squares, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    squares, directions = squares.flip(0)[:count], directions.flip(1)[:, :count]
    rows = (directions / (squares + FLOOR * squares[0]).sqrt()).T
    if len(rows) < count:
        mixture = torch.randn(count - len(rows), len(rows), dtype=rows.dtype) / math.sqrt(len(rows))
        rows = torch.cat([rows, mixture @ rows])
    return rows


def waves(encoder: Encoder) -> Tensor:
    """Sines and cosines of each patch's place, ``[patches, width]``, of unit mean square."""
    config = encoder.config
    count = config.tokens - 1
    grid = GRIDS.get(config.name, (1, count))
    places = torch.cartesian_prod(*(torch.arange(n, dtype=torch.float64) for n in grid))
    quarter = config.width // 4
    parts = []
    for axis in range(2):
        size = max(grid[axis], 2)
        turns = 0.5 * (size / 2) ** (torch.arange(quarter) / max(quarter - 1, 1)) / size
        phase = 2 * math.pi * places[:, axis : axis + 1] * turns
        parts += [phase.sin(), phase.cos()]
    return torch.cat(parts, dim=1) * math.sqrt(2)


#: Rows and columns of patches; IMU's windows are one row.
GRIDS = {"vision": (16, 16), "audio": (12, 19), "depth": (14, 14), "thermal": (14, 14)}
