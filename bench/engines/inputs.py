"""The inputs that each way gets: random, and the same for all."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.engines.work import CAPTION
from bindrt.modalities.steps.constants import TEXT_END, TEXT_START


def inputs_of(request: dict[str, Any], batch: int) -> np.ndarray:
    """bindrt gets a text's tokens up to its end, the others all 77."""
    generator = np.random.default_rng(0)
    if request["encoder"] != "text":
        return generator.standard_normal((batch, *request["view"]), np.float32)
    ids = np.zeros((batch, 77), np.int64)
    ids[:, 0], ids[:, CAPTION - 1] = TEXT_START, TEXT_END
    ids[:, 1 : CAPTION - 1] = generator.integers(1000, 40000, (batch, CAPTION - 2))
    return ids[:, :CAPTION].copy() if request["way"].startswith("bindrt") else ids
