"""``random:SEED``: a checkpoint's tensors made from a seed, the same on every machine.

``random:SEED,outliers`` has what trained transformers are known for and what makes 8 bits hard: some channels
of the residual stream far larger than the others, most of all in the class token, and norms whose gains have
a long tail, with small ones where the stream is large.

Each tensor has a stream of its own, keyed by seed and name, so that one encoder can be made
without the others. Uniform numbers only: they need no library function whose last bit could
differ between machines.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch
from torch import Tensor

from bindrt.arrays import Array
from bindrt_export.checkpoints.huge import ENCODERS
from bindrt_export.checkpoints.imagebind import MASK
from bindrt_export.checkpoints.layout import Layout, Shape

#: With ``outliers``: the largest gain of a norm, and the factor on the gains of large channels.
LONGEST_TAIL, DAMPING = 8.0, 0.05
#: What large channels hold, in the class token and, from the first block's bias on, in every token.
TOKEN_OUTLIER, CHANNEL_OUTLIER = 120.0, 40.0
FIRST_BIAS = "blocks.0.mlp.fc2.bias"


class RandomTensors:
    """Random weights in a layout, with spreads like a freshly initialised transformer's."""

    def __init__(self, seed: int, layout: Layout, outliers: bool = False) -> None:
        self.name = f"random:{seed}" + (",outliers" if outliers else "")
        self._outliers = outliers
        self.licence = ""
        self._seed = seed
        self._layout = layout
        self._shapes = layout.expected()
        self._scale_keys = {key: encoder for encoder, key in layout.scale_keys.items()}

    def shapes(self) -> dict[str, Shape]:
        return dict(self._shapes)

    def read(self, key: str) -> Tensor:
        shape = self._shapes[key]
        if key == MASK:
            return torch.full(shape, float("-inf")).triu(1)
        if key in self._scale_keys:
            return torch.tensor(math.log(ENCODERS[self._scale_keys[key]].scale or 1.0))
        digest = hashlib.sha256(f"{self._seed}/{key}".encode()).digest()
        generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
        values = generator.random(shape, dtype=np.float32)
        values -= np.float32(0.5)
        values *= np.float32(2 * spread(key, shape))
        if is_norm(key) and key.endswith("weight"):
            values += np.float32(1.0)
        if self._outliers:
            self._plant(key, values, generator)
        return torch.from_numpy(values)

    def _plant(self, key: str, values: Array, generator: np.random.Generator) -> None:
        """Put outliers into a tensor, in place."""
        encoder = key.split(".")[1]
        if is_norm(key) and key.endswith("weight") and key.startswith("modality_trunks"):
            tail = generator.random(values.shape, dtype=np.float32)
            values /= np.sqrt(np.maximum(tail, np.float32(LONGEST_TAIL**-2)))
            values[self._channels(encoder, len(values))] *= np.float32(DAMPING)
        elif key.endswith(("cls_token", FIRST_BIAS)):
            row = values.reshape(-1)
            channels = self._channels(encoder, len(row))
            size = TOKEN_OUTLIER if key.endswith("cls_token") else CHANNEL_OUTLIER
            row[channels] = np.float32(size) * np.where(np.arange(len(channels)) % 2, -1, 1)

    def _channels(self, encoder: str, width: int) -> Array:
        """The encoder's large channels, about one in 250."""
        digest = hashlib.sha256(f"{self._seed}/{encoder}/channels".encode()).digest()
        generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
        return np.argsort(generator.random(width))[: max(1, round(width / 250))]


def is_norm(key: str) -> bool:
    return (
        "norm" in key or "pre_transformer_layer" in key or (key.startswith("modality_heads") and "0." in key)
    )


def spread(key: str, shape: Shape) -> float:
    """Half width of the uniform distribution: √3 σ, σ² = 1/fan-in for products, else small."""
    if is_norm(key) or len(shape) == 1:
        return 0.05
    if "embed" in key or "token" in key:
        return 0.035
    fan_in = math.prod(shape[1:])
    return math.sqrt(3.0 / fan_in) if fan_in else 0.05
