"""A norm's gain and bias go into the linear after it, attention's 1/√(head width) into the query.

``(n·g + b) @ W + c = n @ (g[:, None]·W) + (b @ W + c)`` for the normalised ``n``. What is left of the
gain is a vector of ones, which an engine's norm wants anyway and which int8 may use to even out channels.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bindrt_export.architecture import Encoder, EncoderConfig
from bindrt_export.architecture.block import Attention, Block, Linear

#: The norms of a block, and the linear that reads each.
PAIRS = {"norm_1": "attention.qkv", "norm_2": "mlp.up"}


def rewrite(encoder: Encoder) -> Encoder:
    config = encoder.config
    with torch.device("meta"):
        for block in encoder.blocks:
            assert isinstance(block, Block)
            block.norm_1 = nn.LayerNorm(config.width, eps=config.eps, bias=False)
            block.norm_2 = nn.LayerNorm(config.width, eps=config.eps, bias=False)
            assert isinstance(block.attention, Attention)
            block.attention.scale = 1.0
        encoder.norm = nn.LayerNorm(config.width, eps=config.eps, bias=False)
        encoder.projection = Linear(config.width, config.out)
    return encoder


def linear_after(norm: str) -> str | None:
    """The linear that reads a norm's output; None if something else reads it too."""
    if norm == "norm":
        return "projection"
    block, _, name = norm.rpartition(".")
    return f"{block}.{PAIRS[name]}" if name in PAIRS else None


def parameters(config: EncoderConfig, stream: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
    """The stream must give a norm before the linear that it goes into, and a weight before its bias."""
    gains: dict[str, Tensor] = {}  # by linear, until its weight comes
    shifts: dict[str, Tensor] = {}
    for name, tensor in stream:
        owner, _, kind = name.rpartition(".")
        linear = linear_after(owner)
        if linear is not None:
            (gains if kind == "weight" else shifts)[linear] = tensor
            if kind == "weight":
                yield name, torch.ones_like(tensor)
        elif owner in gains and kind == "weight":
            shifts[owner] = product(shifts[owner], tensor)
            yield name, scaled_query(config, owner, gains.pop(owner)[:, None] * tensor)
            if owner == "projection":  # it had no bias
                yield "projection.bias", shifts.pop(owner)
        elif owner in shifts and kind == "bias":
            yield name, scaled_query(config, owner, shifts.pop(owner) + tensor)
        else:
            yield name, tensor


def product(row: Tensor, weight: Tensor) -> Tensor:
    """Summed in float64, so that the order of summing does not show in the bytes."""
    return (row.double() @ weight.double()).float()


def scaled_query(config: EncoderConfig, linear: str, tensor: Tensor) -> Tensor:
    """The tensor of a packed projection (last axis: query, key, value), with the query's part scaled."""
    if linear.endswith(".qkv"):
        tensor[..., : config.width] *= (config.width // config.heads) ** -0.5
    return tensor
