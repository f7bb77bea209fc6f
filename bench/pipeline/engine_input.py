"""Batches of ready input for a model's encoders."""

from __future__ import annotations

import numpy as np

import bindrt
from bindrt.modalities import MODALITIES, for_encoder
from bindrt.preprocess.dispatch import prepare_views


def engine_rows(model: bindrt.Model, modality: str, item: object) -> np.ndarray:
    """An item's rows ``[V, …]`` as the pipeline gives them to the engine; a text is cut after its end."""
    rows = for_encoder(prepare_views(modality, item).array, _encoder_view(model, modality))
    tokens = MODALITIES[modality].tokens
    if tokens is None:
        return rows
    used = int(tokens.used(rows).max())
    return rows[:, : next(n for n in tokens.lengths if n >= used)]


def full_batch(model: bindrt.Model, modality: str, item: object) -> tuple[np.ndarray, float]:
    """As many rows as the engine takes at once, all views of an item, uncut; and how many items they are."""
    rows = for_encoder(prepare_views(modality, item).all(), _encoder_view(model, modality))
    return repeated(rows, model.engine(modality).max_batch)


def repeated(rows: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    """``count`` rows that repeat these, and how many times they repeat them."""
    return np.ascontiguousarray(np.resize(rows, (count, *rows.shape[1:]))), count / len(rows)


def _encoder_view(model: bindrt.Model, modality: str) -> tuple[int, ...]:
    return model.bundle.manifest.encoders[MODALITIES[modality].encoder].view
