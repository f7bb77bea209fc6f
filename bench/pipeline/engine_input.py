"""Batches of ready input for a model's encoders."""

from __future__ import annotations

import numpy as np

import bindrt
from bindrt.benchmark.systems import encoder_rows
from bindrt.modalities import MODALITIES
from bindrt.pipeline.encoder import TEXT_LENGTHS


def engine_rows(model: bindrt.Model, modality: str, prepared: object) -> np.ndarray:
    """An item's rows ``[V, …]`` as the pipeline gives them to the engine; a text is cut after its end."""
    rows = encoder_rows(model.bundle.manifest.encoders[MODALITIES[modality].encoder], modality, prepared)
    if modality != "text":
        return rows
    used = int(rows.argmax(axis=1).max()) + 1
    return rows[:, : next(n for n in TEXT_LENGTHS if n >= used)]


def full_batch(model: bindrt.Model, modality: str, prepared: object) -> tuple[np.ndarray, float]:
    """As many rows of this item as the engine takes at once, uncut; and how many items they make."""
    rows = encoder_rows(model.bundle.manifest.encoders[MODALITIES[modality].encoder], modality, prepared)
    return repeated(rows, model.engine(modality).max_batch)


def repeated(rows: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    """``count`` rows that repeat these, and how many times they repeat them."""
    return np.ascontiguousarray(np.resize(rows, (count, *rows.shape[1:]))), count / len(rows)
