"""Items into their slots, the rows of a batch; on the core's worker threads."""

from __future__ import annotations

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.bundle.manifest import EncoderInfo
from bindrt.limits import Limits
from bindrt.modalities import MODALITIES, Modality, for_encoder
from bindrt.pipeline.futures import EmbeddingFuture
from bindrt.preprocess.dispatch import prepare_views


class Preparer:
    """Writes an item's views into its slots; nothing is copied but tokens and ready input below a batch."""

    def __init__(
        self, modalities: tuple[str, ...], encoder: EncoderInfo, max_batch: int, limits: Limits
    ) -> None:
        self._modalities = tuple(MODALITIES[name] for name in modalities)
        self._view = tuple(encoder.view)
        self._max_batch = max_batch
        self._limits = limits

    def __call__(self, lane: int, future: EmbeddingFuture, item: object, place: _core.Place) -> None:
        modality = self._modalities[lane]
        slots = _Slots(place)
        views = prepare_views(modality.name, item, self._limits, slots)
        if views.notes:
            future.notes = views.notes
        if not slots.hold(views.array):
            self._place(modality, views.array, place)
        if (weights := views.weights) is not None:
            place.weigh(weights.tolist())

    def _place(self, modality: Modality, views: Array, place: _core.Place) -> None:
        """Views made elsewhere: run where they are if they fill a batch, else copied."""
        if modality.tokens is not None:
            slots = place.reserve(len(views), int(modality.tokens.used(views).max()))
            slots[...] = views[:, : slots.shape[1]]
        elif views.shape[1:] == self._view and len(views) >= self._max_batch and views.flags.c_contiguous:
            place.borrow(views)
            return
        else:
            slots = place.reserve(len(views))
            slots[...] = for_encoder(views, self._view)
        place.count_copied(len(views))


class _Slots:
    """The rows of one item; reserved when it first wants to write."""

    def __init__(self, place: _core.Place) -> None:
        self._place = place
        self._rows: Array | None = None

    def __call__(self, rows: int) -> Array:
        if self._rows is None or len(self._rows) != rows:
            self._rows = self._place.reserve(rows)
        return self._rows

    def hold(self, array: Array) -> bool:
        return self._rows is not None and np.may_share_memory(array, self._rows)
