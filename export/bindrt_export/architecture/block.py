"""One transformer block: ``x + attention(norm_1(x))``, then ``x + mlp(norm_2(x))``."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Linear(nn.Module):
    """``x @ weight + bias`` with the weight stored ``[in, out]``.

    Stored as the product reads it, so that an engine maps the file and needs no transposed copy.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


class Attention(nn.Module):
    """Multi-head self-attention with one packed query/key/value projection.

    With ``bias_token`` one learned key and one learned value, given after the projection, join
    the sequence's keys and values for every query.
    """

    def __init__(self, width: int, heads: int, bias_token: bool) -> None:
        super().__init__()
        self.heads = heads
        self.head_width = width // heads
        self.scale = self.head_width**-0.5
        self.qkv = Linear(width, 3 * width)
        self.out = Linear(width, width)
        token = (1, heads, 1, width // heads)
        self.bias_key = nn.Parameter(torch.empty(token)) if bias_token else None
        self.bias_value = nn.Parameter(torch.empty(token)) if bias_token else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        batch, length = x.shape[:2]
        # Reshaped and indexed, not chunked: TensorRT runs a chunked packed projection in half
        # precision whatever was asked for.
        packed = self.qkv(x).reshape(batch, length, 3, self.heads, self.head_width).permute(2, 0, 3, 1, 4)
        return self.mix(packed[0], packed[1], packed[2], mask)

    def mix(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """Queries ``[B, heads, Q, head_width]`` over keys and values, to ``[B, Q, width]``."""
        batch, heads, queries, head_width = query.shape
        if self.bias_key is not None and self.bias_value is not None:
            key = torch.cat([key, self.bias_key.expand(batch, -1, -1, -1)], dim=2)
            value = torch.cat([value, self.bias_value.expand(batch, -1, -1, -1)], dim=2)
        scores = (query if self.scale == 1.0 else query * self.scale) @ key.transpose(-2, -1)
        if mask is not None:
            scores = scores + mask
        mixed = scores.softmax(dim=-1) @ value
        return self.out(mixed.transpose(1, 2).reshape(batch, queries, heads * head_width))  # type: ignore[no-any-return]


class Mlp(nn.Module):
    """Linear to four times the width, exact (erf) GELU, linear back."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up = Linear(width, hidden)
        self.gelu = nn.GELU()
        self.down = Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.gelu(self.up(x)))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, width: int, heads: int, hidden: int, bias_token: bool, eps: float) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(width, eps=eps)
        self.attention = Attention(width, heads, bias_token)
        self.norm_2 = nn.LayerNorm(width, eps=eps)
        self.mlp = Mlp(width, hidden)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.attention(self.norm_1(x), mask)
        return x + self.mlp(self.norm_2(x))  # type: ignore[no-any-return]
