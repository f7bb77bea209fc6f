"""Items into their slots, the rows of a batch; on the core's worker threads."""

from __future__ import annotations

import threading

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.bundle.manifest import EncoderInfo
from bindrt.modalities import MODALITIES, Modality, for_encoder
from bindrt.pipeline.device_items import Refused, copied_to_host, not_prepared
from bindrt.pipeline.gpu_videos import refusal
from bindrt.preparation import Preparation
from bindrt.wanted import wanted_while


class Preparer:
    """Writes an item's views into its slots; nothing is copied but tokens and ready input below a batch."""

    def __init__(
        self, modalities: tuple[str, ...], encoder: EncoderInfo, max_batch: int, preparation: Preparation,
        stopped: threading.Event,
    ) -> None:  # fmt: skip
        self._modalities = tuple(MODALITIES[name] for name in modalities)
        self._view = tuple(encoder.view)
        self._max_batch = max_batch
        self._preparation = preparation
        self._stopped = stopped

    def __call__(self, lane: int, item: object, rows: _core.ItemRows) -> None:
        if isinstance(item, Refused):
            raise item.error
        if rows.refused:
            raise refusal(item, rows.refused)
        modality = self._modalities[lane]
        if (here := copied_to_host(item)) is not None:
            self._preparation.views(modality.name, here)  # which mostly says what is wrong with it
            raise not_prepared(item)
        slots = _Slots(rows)
        with wanted_while(lambda: rows.is_wanted() and not self._stopped.is_set()):
            views = self._preparation.views(modality.name, item, slots, rows.left)
        if views.notes:
            rows.note(views.notes)
        if not slots.hold(views.array):
            self._write(modality, views.array, rows)
        if (weights := views.weights) is not None:
            rows.weigh(weights.tolist())

    def _write(self, modality: Modality, views: Array, rows: _core.ItemRows) -> None:
        """Views made elsewhere: run where they are if they fill a batch, else copied."""
        if modality.tokens is not None:
            slots = rows.reserve(len(views), int(modality.tokens.used(views).max()))
            slots[...] = views[:, : slots.shape[1]]
        elif views.shape[1:] == self._view and len(views) >= self._max_batch and views.flags.c_contiguous:
            rows.borrow(views)
            return
        else:
            slots = rows.reserve(len(views))
            slots[...] = for_encoder(views, self._view)
        rows.count_copied(len(views))


class _Slots:
    """The rows of one item as an array; reserved when something first wants to write there."""

    def __init__(self, rows: _core.ItemRows) -> None:
        self._rows = rows
        self._array: Array | None = None

    def __call__(self, count: int) -> Array:
        if self._array is None or len(self._array) != count:
            self._array = self._rows.reserve(count)
        return self._array

    def hold(self, array: Array) -> bool:
        return self._array is not None and np.may_share_memory(array, self._array)
