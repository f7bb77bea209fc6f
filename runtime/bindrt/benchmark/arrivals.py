"""When requests arrive: a Poisson process, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Arrival:
    """One request: its time in seconds after the start, and its modality."""

    at: float
    modality: str


def poisson(rate: float, count: int, modalities: Sequence[str], seed: int) -> list[Arrival]:
    """``count`` requests at ``rate`` a second on average; the modalities are equally likely."""
    random = np.random.default_rng(seed)
    times = np.cumsum(random.exponential(1 / rate, count))
    which = random.integers(0, len(modalities), count)
    return [Arrival(float(at), modalities[i]) for at, i in zip(times, which, strict=True)]
