"""The weights file: the parameters of one encoder one after the other, as engines map them."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from bindrt_export.tracing.padding import padding

ITEM = 4  # float32


@dataclass(frozen=True)
class Slot:
    """Where a parameter is in the file: byte offset and shape (float32)."""

    offset: int
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * ITEM


@dataclass(frozen=True)
class WeightsFile:
    """A written weights file."""

    path: Path
    slots: Mapping[str, Slot]
    sha256: str
    bytes: int


def write_weights(
    path: Path, parameters: Iterable[tuple[str, Tensor]], advance: Callable[[int], None] = lambda _: None
) -> WeightsFile:
    """Stream parameters into ``path``, one in memory at a time; ``advance`` is told the bytes written."""
    digest = hashlib.sha256()
    slots: dict[str, Slot] = {}
    position = 0
    with open(path, "wb") as file:
        for name, tensor in parameters:
            values = tensor.numpy().astype("<f4", copy=False).reshape(-1).data.cast("B")
            before = padding(position, len(values))
            slots[name] = Slot(position + len(before), tuple(tensor.shape))
            for piece in (before, values):
                file.write(piece)
                digest.update(piece)
            position += len(before) + len(values)
            advance(len(values))
        file.flush()
        os.fsync(file.fileno())
    return WeightsFile(path, slots, digest.hexdigest(), position)
