"""Patches that do not overlap are one matrix product: reshape, transpose, multiply.

Spares the engine a convolution of one step per patch (im2col, other layouts), and makes the stem a
linear layer like all others, so that whatever is done to those is done to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bindrt_export.architecture import Encoder, EncoderConfig
from bindrt_export.architecture.block import Linear
from bindrt_export.architecture.stem import PatchStem

WEIGHT = "stem.patch.weight"


class PatchProduct(nn.Module):
    """``[B, C, …]`` → ``[B, width, patches]``, as the convolution it replaces (flattened)."""

    def __init__(self, channels: int, kernel: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.product = Linear(channels * math.prod(kernel), width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels = x.shape[:2]
        grid = [n // k for n, k in zip(x.shape[2:], self.kernel, strict=True)]
        split = [side for pair in zip(grid, self.kernel, strict=True) for side in pair]
        axes = range(2, 2 + len(split))
        patches = x.reshape(batch, channels, *split).permute(0, *axes[::2], 1, *axes[1::2])
        tokens = self.product(patches.reshape(batch, math.prod(grid), -1))
        return tokens.transpose(1, 2)  # type: ignore[no-any-return]


def applies(config: EncoderConfig) -> bool:
    """Whether the patches neither overlap nor leave a gap."""
    return len(config.kernel) > 1 and config.kernel == config.stride


def rewrite(encoder: Encoder) -> Encoder:
    c = encoder.config
    if applies(c):
        assert isinstance(encoder.stem, PatchStem)
        with torch.device("meta"):
            encoder.stem.patch = PatchProduct(c.channels, c.kernel, c.width)  # type: ignore[assignment]
    return encoder


def parameters(config: EncoderConfig, stream: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in stream:
        if name == WEIGHT and applies(config):
            yield "stem.patch.product.weight", tensor.flatten(1).t().contiguous()
        else:
            yield name, tensor
