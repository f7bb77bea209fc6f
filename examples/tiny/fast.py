"""The encoders' forward pass for training: only some patches are looked at, attention is fused.

The numbers are those of ``bindrt_export.architecture`` when all patches are kept (a test says so).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from bindrt_export.architecture import Encoder
from bindrt_export.architecture.block import Block
from bindrt_export.architecture.stem import ImuStem, PatchStem

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])
PICTURES = ("vision", "depth", "thermal")  # where some patches say more than others
RANDOM = 0.2  # of a choice of patches


def numbers(pixels: Tensor) -> Tensor:
    """uint8 pixels ``[B, kept, 3, …]`` as the vision encoder's numbers."""
    shape = (3, *[1] * (pixels.dim() - 3))
    return pixels.float().sub_(255 * MEAN.view(shape)).div_(255 * STD.view(shape))


def embed(encoder: Encoder, x: Tensor, keep: float = 1.0) -> Tensor:
    """Unit vectors ``[B, out]``, from a share ``keep`` of the patches.

    ``x`` is the encoder's input; for vision also its uint8 pixels: only what is kept becomes numbers then.
    """
    tokens = stem(encoder, x, keep)
    if encoder.pre_norm is not None:
        tokens = encoder.pre_norm(tokens)
    causal = encoder.config.name == "text"
    for module in encoder.blocks:
        assert isinstance(module, Block)
        tokens = block(module, tokens, causal)
    return F.normalize(encoder.head(tokens, x), dim=-1)


def stem(encoder: Encoder, x: Tensor, keep: float) -> Tensor:
    part = encoder.stem
    if not isinstance(part, (PatchStem, ImuStem)):
        return part(x)  # type: ignore[no-any-return]
    patches, kept = patches_of(encoder, x, keep)
    tokens = patches @ (part.patch.weight if isinstance(part, ImuStem) else part.patch.weight.flatten(1).t())
    if part.norm is not None:
        tokens = part.norm(tokens)
    position = part.position
    first = (part.class_token + position[:, :1]).expand(x.shape[0], -1, -1)
    return torch.cat([first, tokens + position[0, 1 + kept]], dim=1)


def patches_of(encoder: Encoder, x: Tensor, keep: float) -> tuple[Tensor, Tensor]:
    """``[B, kept, channels · kernel]`` in the order of the convolution's weight, and which were kept.

    The latter is ``[kept]``, the same for the batch; of pictures ``[B, kept]``.
    """
    config = encoder.config
    if isinstance(encoder.stem, ImuStem):
        windows = x.reshape(x.shape[0], config.channels, -1, config.kernel[0]).transpose(1, 2).flatten(2)
        kept = choose(windows.shape[1], keep)
        return windows[:, kept], kept
    windows = x
    for i, (size, step) in enumerate(zip(config.kernel, config.stride, strict=True)):
        windows = windows.unfold(2 + i, size, step)
    grid = windows.shape[2 : 2 + len(config.kernel)]
    if config.name in PICTURES and keep < 1:
        kept = standing_out(x, grid, keep)
        at = torch.unravel_index(kept, grid)
        found = windows[(torch.arange(len(x))[:, None], slice(None), *at)]  # [B, kept, channels, kernel]
    else:
        kept = choose(math.prod(grid), keep)
        at = torch.unravel_index(kept, grid)
        found = windows[(slice(None), slice(None), *at)].transpose(1, 2)
    found = numbers(found) if found.dtype == torch.uint8 else found
    return found.flatten(2), kept


def choose(count: int, keep: float) -> Tensor:
    return torch.arange(count) if keep >= 1 else torch.randperm(count)[: max(int(count * keep), 1)]


def standing_out(x: Tensor, grid: tuple[int, ...], keep: float) -> Tensor:
    """``[B, kept]``: of each picture the patches that differ most from their row's median, and random ones.

    Shape tells the kind, and most of a picture is floor and distance: random patches lose it.
    """
    rows, columns = grid[-2:]
    coarse = x.flatten(1, -3)[:, :, :: x.shape[-2] // (2 * rows), :: x.shape[-1] // (2 * columns)].float()
    means = F.avg_pool2d(coarse, 2)
    differ = (means - means.median(dim=3, keepdim=True).values).abs().amax(dim=1)
    differ = differ / differ.amax(dim=(1, 2), keepdim=True).clamp_min(1e-6)
    score = differ.flatten(1) + RANDOM * torch.rand(len(x), rows * columns)
    return score.topk(max(int(score.shape[1] * keep), 1), dim=1).indices


def block(module: Block, x: Tensor, causal: bool) -> Tensor:
    attention = module.attention
    batch, length, width = x.shape
    packed = attention.qkv(module.norm_1(x)).reshape(batch, length, 3, attention.heads, -1)
    query, key, value = packed.permute(2, 0, 3, 1, 4)
    if attention.bias_key is not None and attention.bias_value is not None:
        key = torch.cat([key, attention.bias_key.expand(batch, -1, -1, -1)], dim=2)
        value = torch.cat([value, attention.bias_value.expand(batch, -1, -1, -1)], dim=2)
    mixed = F.scaled_dot_product_attention(query, key, value, is_causal=causal)
    x = x + attention.out(mixed.transpose(1, 2).reshape(batch, length, width))
    return x + module.mlp(module.norm_2(x))  # type: ignore[no-any-return]
