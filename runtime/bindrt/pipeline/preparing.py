"""Items into their slots, the rows of a batch; on the core's worker threads."""

from __future__ import annotations

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.bundle.manifest import EncoderInfo
from bindrt.items import Prepared
from bindrt.limits import Limits
from bindrt.modalities import MODALITIES
from bindrt.pipeline.futures import EmbeddingFuture
from bindrt.preprocess.dispatch import prepare, prepare_into


class Preparer:
    """Writes an item's views into its slots; nothing is copied but tokens and ready input below a batch."""

    def __init__(
        self, modalities: tuple[str, ...], encoder: EncoderInfo, max_batch: int, limits: Limits
    ) -> None:
        self._modalities = modalities
        self._view = tuple(encoder.view)
        self._max_batch = max_batch
        self._limits = limits

    def __call__(self, lane: int, future: EmbeddingFuture, item: object, place: _core.Place) -> None:
        modality = self._modalities[lane]
        if modality == "text" or isinstance(item, Prepared):
            ready = prepare(modality, item, self._limits)
            if ready.notes:
                future.notes = ready.notes
            self._place(modality, np.asarray(ready.array), place)
        else:
            slots = _Slots(place)
            prepared, weights = prepare_into(modality, item, self._limits, slots)
            if prepared.notes:
                future.notes = prepared.notes
            if not slots.hold(prepared.array):
                self._place(modality, prepared.array, place)
            if weights is not None:
                place.weigh(weights.tolist())

    def _place(self, modality: str, array: Array, place: _core.Place) -> None:
        """One view or several, made elsewhere: run where they are if they fill a batch, else copied."""
        views = array if array.ndim > len(MODALITIES[modality].view) else array[None]
        if modality == "text":
            length = int(views.argmax(axis=1).max()) + 1  # nothing behind the end token changes the vector
            slots = place.reserve(len(views), length)
            slots[...] = views[:, : slots.shape[1]]
        elif views.shape[1:] == self._view and len(views) >= self._max_batch and views.flags.c_contiguous:
            place.borrow(views)
            return
        else:
            slots = place.reserve(len(views))
            # A still image is one frame shown as often as the encoder wants.
            slots[...] = views[:, :, None] if slots.ndim > views.ndim else views
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
