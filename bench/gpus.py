"""The GPUs that rooflines are calculated for, with their makers' figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """The limits of a GPU.

    Attributes:
        bandwidth: bytes a second between the chip and its memory.
        half: float16 operations a second in matrix products with float32 sums, dense.
        float32, float64: operations a second outside matrix products.
    """

    name: str
    bandwidth: float
    half: float
    float32: float
    float64: float


GPUS = (
    Gpu("Jetson AGX Orin", 204.8e9, 42.5e12, 5.3e12, 0.083e12),
    Gpu("RTX 4090", 1008e9, 165.2e12, 82.6e12, 1.29e12),
    Gpu("H100 SXM", 3350e9, 989.4e12, 66.9e12, 33.5e12),
)
