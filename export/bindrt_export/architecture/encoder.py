"""An encoder: stem → blocks → norm, pooled token, projection → unit length × scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bindrt.modalities import MODALITIES
from bindrt_export.architecture.block import Block, Linear
from bindrt_export.architecture.stem import ImuStem, PatchStem, TextStem


@dataclass(frozen=True)
class EncoderConfig:
    """The numbers of one encoder.

    Attributes:
        name: the encoder that the modalities name, for example ``vision``.
        width, depth, heads, hidden, out: sizes of tokens, number of blocks and heads, MLP and
            embedding widths.
        bias_token: a learned key and value join every attention.
        pre_norm, stem_norm: a norm before the trunk; a norm after patching.
        eps: ε of the norms before and in the blocks and in the head; that of the stem is always 1e-5.
        channels, kernel, stride: numbers of the patch convolution. Samples over time have
            ``kernel = (window,)``, token ids ``kernel = ()``.
        tokens: rows of the position table (class token included).
        vocabulary: rows of the token table; for token ids only.
        scale: factor after the division by the norm.
    """

    name: str
    width: int
    depth: int
    heads: int
    hidden: int
    out: int
    tokens: int
    channels: int = 0
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    vocabulary: int = 0
    bias_token: bool = False
    pre_norm: bool = False
    stem_norm: bool = False
    eps: float = 1e-6
    scale: float = 1.0

    @property
    def view(self) -> tuple[int, ...]:
        """Shape of one view of the input."""
        return view_of(self.name, self.kernel)

    @property
    def reads_tokens(self) -> bool:
        """Whether the input is token ids. Then attention is causal, and the end token is pooled."""
        return not self.kernel

    @property
    def reads_samples(self) -> bool:
        """Whether the input is samples over time ``[channels, N]``, cut into windows."""
        return len(self.kernel) == 1


def view_of(encoder: str, kernel: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of one view of an encoder's input: ``[tokens]``, or channels before the axes of a patch.

    An encoder may serve several modalities. Frames make ``[3, 2, 224, 224]`` the view of one whose patches
    have three axes, and ``[3, 224, 224]`` that of one whose patches have two.
    """
    axes = len(kernel) + 1
    return next(m.view for m in MODALITIES.values() if m.encoder == encoder and len(m.view) == axes)


def make_stem(config: EncoderConfig) -> nn.Module:
    if config.reads_tokens:
        return TextStem(config.width, config.vocabulary, config.tokens)
    if config.reads_samples:
        return ImuStem(config.width, config.channels, config.kernel[0], config.tokens)
    return PatchStem(
        config.width, config.channels, config.kernel, config.stride, config.tokens, config.stem_norm
    )


class Encoder(nn.Module):
    """An encoder, for inference only: from what :mod:`bindrt.preprocess` makes to vectors ``[B, out]``."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = make_stem(config)
        self.pre_norm = nn.LayerNorm(config.width, eps=config.eps) if config.pre_norm else None
        self.blocks = nn.ModuleList(
            Block(config.width, config.heads, config.hidden, config.bias_token, config.eps)
            for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(config.width, eps=config.eps)
        self.projection = Linear(config.width, config.out, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.finish(self.head(self.trunk(self.stem(x)), x))

    def trunk(self, tokens: Tensor) -> Tensor:
        """Tokens through the blocks; token ids attend causally."""
        return self.through(self.blocks, tokens)

    def through(self, blocks: Iterable[nn.Module], tokens: Tensor) -> Tensor:
        """Tokens through the norm before the trunk and some blocks."""
        mask = self.mask(tokens)
        if self.pre_norm is not None:
            tokens = self.pre_norm(tokens)
        for block in blocks:
            tokens = block(tokens, mask)
        return tokens

    def mask(self, tokens: Tensor) -> Tensor | None:
        """What attention adds to its scores; only token ids have a mask."""
        return causal_mask(tokens) if self.config.reads_tokens else None

    def head(self, tokens: Tensor, x: Tensor) -> Tensor:
        """Norm and projection of the pooled token."""
        return self.projection(self.norm(self.pooled(tokens, x).squeeze(1)))  # type: ignore[no-any-return]

    def pooled(self, tokens: Tensor, x: Tensor) -> Tensor:
        """``[B, 1, width]``: the class token, or the one at the end-of-text position."""
        if not self.config.reads_tokens:
            return tokens[:, :1]
        return tokens.gather(1, end_of_text(x).reshape(-1, 1, 1).expand(-1, 1, tokens.shape[-1]))

    def finish(self, embedding: Tensor) -> Tensor:
        """Divide by the length, then multiply by the encoder's scale."""
        unit: Tensor = embedding / embedding.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        return unit * self.config.scale if self.config.scale != 1.0 else unit


def end_of_text(ids: Tensor) -> Tensor:
    """``[B]``: where the largest id is, the first if there are several."""
    return ids.argmax(dim=-1)


def causal_mask(tokens: Tensor) -> Tensor:
    """``[L, L]``: 0 where a position may look (itself and before), −inf elsewhere."""
    position = torch.arange(tokens.shape[1], device=tokens.device)
    future = position[None, :] > position[:, None]
    return torch.zeros((), dtype=tokens.dtype, device=tokens.device).masked_fill(future, float("-inf"))
