"""The last block computes only the pooled token's row: its query, output and MLP are for that row alone.

Keys and values are still those of all tokens. Saves ten of the last block's twelve parts of matrix work.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bindrt_export.architecture import Encoder, EncoderConfig
from bindrt_export.architecture.block import Attention, Block, Linear
from bindrt_export.architecture.encoder import end_of_text


class PooledAttention(Attention):
    """Attention of one row over all tokens. The packed projection becomes two: query, and key with value."""

    def __init__(self, plain: Attention, width: int) -> None:
        super().__init__(width, plain.heads, plain.bias_key is not None)
        self.scale = plain.scale
        del self.qkv
        self.query = Linear(width, width)
        self.key_value = Linear(width, 2 * width)

    def forward(self, row: Tensor, tokens: Tensor, mask: Tensor | None = None) -> Tensor:  # type: ignore[override]
        batch, length, _ = tokens.shape
        query = self.query(row).reshape(batch, 1, self.heads, self.head_width).transpose(1, 2)
        packed = self.key_value(tokens).reshape(batch, length, 2, self.heads, self.head_width)
        packed = packed.permute(2, 0, 3, 1, 4)
        return self.mix(query, packed[0], packed[1], mask)


class PooledBlock(nn.Module):
    """The last block: all tokens in, the pooled one ``[B, 1, width]`` out."""

    def __init__(self, block: Block, width: int) -> None:
        super().__init__()
        self.norm_1, self.norm_2, self.mlp = block.norm_1, block.norm_2, block.mlp
        self.attention = PooledAttention(block.attention, width)

    def forward(self, tokens: Tensor, row: Tensor, mask: Tensor | None) -> Tensor:
        x = row + self.attention(self.norm_1(row), self.norm_1(tokens), mask)
        return x + self.mlp(self.norm_2(x))  # type: ignore[no-any-return]


class PooledEncoder(Encoder):
    """An encoder whose last block gives the pooled row."""

    def __init__(self, plain: Encoder) -> None:
        nn.Module.__init__(self)
        self.config = plain.config
        self.stem, self.pre_norm = plain.stem, plain.pre_norm
        *others, last = plain.blocks
        assert isinstance(last, Block)
        with torch.device("meta"):
            self.blocks = nn.ModuleList([*others, PooledBlock(last, plain.config.width)])
        self.norm, self.projection = plain.norm, plain.projection

    def trunk(self, tokens: Tensor) -> Tensor:
        raise NotImplementedError("the pooled row depends on the input")

    def forward(self, x: Tensor) -> Tensor:
        *others, last = self.blocks
        tokens = self.through(others, self.stem(x))
        row = last(tokens, self.pooled(tokens, x), self.row_mask(tokens, x))
        return self.finish(self.projection(self.norm(row.squeeze(1))))

    def row_mask(self, tokens: Tensor, x: Tensor) -> Tensor | None:
        """For token ids ``[B, 1, 1, L]``: −inf where the pooled position may not look; else None."""
        if not self.config.reads_tokens:
            return None
        position = torch.arange(tokens.shape[1], device=tokens.device)
        future = position[None] > end_of_text(x)[:, None]
        zero = torch.zeros((), dtype=tokens.dtype, device=tokens.device)
        return zero.masked_fill(future, float("-inf"))[:, None, None]


def rewrite(encoder: Encoder) -> Encoder:
    return PooledEncoder(encoder)


def parameters(config: EncoderConfig, stream: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
    packed = f"blocks.{config.depth - 1}.attention.qkv."
    for name, tensor in stream:
        if not name.startswith(packed):
            yield name, tensor
            continue
        yield name.replace("qkv", "query"), tensor[..., : config.width].contiguous()
        yield name.replace("qkv", "key_value"), tensor[..., config.width :].contiguous()
