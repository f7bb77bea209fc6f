"""What an encoder computes and moves, counted from its sizes; the counts hold for CPUs and GPUs."""

from __future__ import annotations

from dataclasses import dataclass

from bindrt.bundle.manifest import EncoderInfo
from bindrt.modalities.steps.constants import VOCABULARY

#: Tokens of the captions that are timed, start and end among them.
CAPTION = 10
#: Tokens (class token among them), and keys that are not tokens (the learned key and value).
TOKENS = {"vision": 257, "text": 77, "audio": 229, "depth": 197, "thermal": 197, "imu": 251}
EXTRA_KEYS = {"audio": 1, "depth": 1, "thermal": 1, "imu": 1}
PATCH = {"vision": 3 * 2 * 14 * 14, "audio": 16 * 16, "depth": 16 * 16, "thermal": 16 * 16, "imu": 48}


@dataclass(frozen=True)
class EncoderWork:
    """What an encoder computes and moves.

    Attributes:
        operations: of one item, in matrix products.
        activations: numbers moved between layers, of one item.
        weights: how many weights it reads, once a batch.
    """

    operations: float
    activations: float
    weights: float

    def bytes(self, batch: int, size: int) -> float:
        """Bytes that are moved if each layer's input and output go through memory, and weights once a batch.

        Args:
            size: bytes of a number.
        """
        return size * (batch * self.activations + self.weights)


def encoder_work(info: EncoderInfo, embed_dim: int, tokens: int | None = None) -> EncoderWork:
    """Four linear layers and attention's two products a block, patches, projection; a multiply-add is two."""
    n, width = tokens or TOKENS[info.name], info.width
    keys = n + EXTRA_KEYS.get(info.name, 0)
    linear = 12 * width * width  # query, key, value, out, up and down
    block = 2 * n * linear + 4 * n * keys * width
    patch = 2 * (n - 1) * PATCH[info.name] * width if info.name in PATCH else 0
    # A block reads and writes the stream at each of its products: 3 + 1 + 4 widths out, 1 + 1 + 1 + 4 in.
    moved = info.depth * n * width * 15
    weights = info.parameters - (
        VOCABULARY * width if info.name == "text" else 0
    )  # few rows of the table are read
    return EncoderWork(info.depth * block + patch + 2 * width * embed_dim, moved, weights)
