"""Stems: from a modality's input to tokens ``[B, tokens, width]``, class token first, positions added."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bindrt_export.architecture.block import Linear


class PatchStem(nn.Module):
    """A convolution whose patches become tokens, row by row; for images, frames, maps and spectra.

    ``kernel`` has two or three dimensions (three: time first). Norm eps of a stem is 1e-5.
    """

    def __init__(
        self,
        width: int,
        channels: int,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        tokens: int,
        norm: bool,
    ) -> None:
        super().__init__()
        convolution = nn.Conv3d if len(kernel) == 3 else nn.Conv2d
        self.patch = convolution(channels, width, kernel, stride, bias=False)  # type: ignore[arg-type]
        self.norm = nn.LayerNorm(width, eps=1e-5) if norm else None
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.position = nn.Parameter(torch.empty(1, tokens, width))

    def forward(self, x: Tensor) -> Tensor:
        return with_class_token(self, self.patch(x).flatten(2).transpose(1, 2))


class ImuStem(nn.Module):
    """Samples over time: each window, flattened channel first, goes through one linear layer."""

    def __init__(self, width: int, channels: int, window: int, tokens: int) -> None:
        super().__init__()
        self.channels = channels
        self.window = window
        self.patch = Linear(channels * window, width, bias=False)
        self.norm = nn.LayerNorm(width, eps=1e-5)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.position = nn.Parameter(torch.empty(1, tokens, width))

    def forward(self, x: Tensor) -> Tensor:
        windows = x.reshape(x.shape[0], self.channels, -1, self.window).transpose(1, 2).flatten(2)
        return with_class_token(self, self.patch(windows))


def with_class_token(stem: PatchStem | ImuStem, tokens: Tensor) -> Tensor:
    """Apply the norm, put the class token in front, add the positions."""
    if stem.norm is not None:
        tokens = stem.norm(tokens)
    first = stem.class_token.expand(tokens.shape[0], -1, -1)
    return torch.cat([first, tokens], dim=1) + stem.position


class TextStem(nn.Module):
    """Token embedding plus positions; the text may be shorter than the position table."""

    def __init__(self, width: int, vocabulary: int, length: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.position = nn.Parameter(torch.empty(1, length, width))

    def forward(self, ids: Tensor) -> Tensor:
        return self.tokens(ids) + self.position[:, : ids.shape[1]]  # type: ignore[no-any-return]
