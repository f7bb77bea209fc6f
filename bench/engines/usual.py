"""The plain encoder as models are usually written: ``nn.Linear`` and ``scaled_dot_product_attention``.

It is a little faster in PyTorch than our own plain module, which is written for tracing, and it is what
quantisers look for.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bindrt_export.architecture import Encoder
from bindrt_export.architecture.block import Attention, Linear


def usual(module: Encoder) -> Encoder:
    """The module with its linears and attentions replaced; the same vectors within rounding."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Linear):
                setattr(parent, name, linear(child))
            elif isinstance(child, Attention):
                child.__class__ = FusedAttention
    return module


def linear(given: Linear) -> nn.Linear:
    inputs, outputs = given.weight.shape
    made = nn.Linear(inputs, outputs, bias=given.bias is not None, device="meta")
    made.weight = nn.Parameter(given.weight.t().contiguous(), requires_grad=False)
    if given.bias is not None:
        made.bias = given.bias
    return made


class FusedAttention(Attention):
    """Attention by PyTorch's own function."""

    def mix(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        batch, heads, queries, head_width = query.shape
        if self.bias_key is not None and self.bias_value is not None:
            key = torch.cat([key, self.bias_key.expand(batch, -1, -1, -1)], dim=2)
            value = torch.cat([value, self.bias_value.expand(batch, -1, -1, -1)], dim=2)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=self.scale)
        return self.out(mixed.transpose(1, 2).reshape(batch, queries, heads * head_width))
