"""The seven modalities: which encoder serves each and what one view of its input looks like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Modality:
    """One modality.

    Attributes:
        name: the public name, a keyword of ``embed``.
        encoder: the encoder that serves it; image and video share ``vision``.
        view: shape of one view as :mod:`bindrt.preprocess` returns it.
        dtype: NumPy dtype of that array.
        views: views per file as the original samples it (1: no view axis).
    """

    name: str
    encoder: str
    view: tuple[int, ...]
    dtype: type[np.generic]
    views: int


MODALITIES: dict[str, Modality] = {
    m.name: m
    for m in (
        Modality("image", "vision", (3, 224, 224), np.float32, 1),
        Modality("video", "vision", (3, 2, 224, 224), np.float32, 15),
        Modality("text", "text", (77,), np.int64, 1),
        Modality("audio", "audio", (1, 128, 204), np.float32, 3),
        Modality("depth", "depth", (1, 224, 224), np.float32, 1),
        Modality("thermal", "thermal", (1, 224, 224), np.float32, 1),
        Modality("imu", "imu", (6, 2000), np.float32, 1),
    )
}

ENCODERS: tuple[str, ...] = ("vision", "text", "audio", "depth", "thermal", "imu")
