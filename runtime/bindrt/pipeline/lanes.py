"""What the core is told of each modality of an encoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from bindrt.bundle.manifest import EncoderInfo
from bindrt.modalities import MODALITIES
from bindrt.pipeline.options import PipelineOptions


def lane_options(
    modality: str,
    encoder: EncoderInfo,
    max_batch: int,
    embed_dim: int,
    options: PipelineOptions,
    on_device: bool,
) -> dict[str, Any]:
    """The shape of its rows, and how many may be queued, batched and in flight."""
    declared = MODALITIES[modality]
    tokens, views = declared.tokens, declared.views
    return {
        "name": modality,
        "dim": embed_dim,
        "dtype": np.dtype(encoder.dtype),
        "view": tuple(encoder.view),
        "lengths": text_lengths(modality, encoder),
        "tokens": tokens.count if tokens else 0,
        "max_batch": max_batch,
        "item_rows": views,
        "queue": options.queue,
        "in_flight": options.batches(on_device) * max(max_batch, views),
        "max_wait_us": options.max_wait_us,
        "spin_us": options.spin_us,
    }


def text_lengths(modality: str, encoder: EncoderInfo) -> list[int]:
    """The lengths that batches of token ids have; none for other modalities."""
    tokens = MODALITIES[modality].tokens
    return [n for n in tokens.lengths if n <= encoder.view[-1]] if tokens else []
