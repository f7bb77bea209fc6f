"""Items in, vectors out, for one modality: prepare → batch of views → engine → pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bindrt import _core
from bindrt.engines import Engine
from bindrt.errors import Error, InputError
from bindrt.items import Prepared
from bindrt.manifest import EncoderInfo
from bindrt.modalities import MODALITIES
from bindrt.statistics import Statistics

Rows = npt.NDArray[np.float32]


@dataclass
class Batch:
    """Views of consecutive items, waiting for the engine."""

    rows: list[int] = field(default_factory=list)
    views: list[npt.NDArray[np.generic]] = field(default_factory=list)

    def count(self) -> int:
        return sum(len(v) for v in self.views)


@dataclass
class Outcome:
    """Vectors ``[N, D]`` with what happened to single items; a failed row is NaN."""

    rows: Rows
    errors: dict[int, Error] = field(default_factory=dict)
    notes: dict[int, Mapping[str, float | int | str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Embedder:
    """Embeds items of one modality."""

    modality: str
    encoder: EncoderInfo
    engine: Engine
    prepare: Callable[[object], Prepared]
    embed_dim: int
    statistics: Statistics

    def embed(self, items: Sequence[object], normalize: bool, skip: bool) -> Outcome:
        """Embed items in order; with ``skip`` a bad item fails alone, else the first one raises."""
        outcome = Outcome(np.full((len(items), self.embed_dim), np.nan, np.float32))
        for batch in self._batches(items, skip, outcome):
            self._run(batch, normalize, outcome.rows)
        self.statistics.add(self.modality, items=len(items) - len(outcome.errors), errors=len(outcome.errors))
        return outcome

    def _batches(self, items: Sequence[object], skip: bool, outcome: Outcome) -> Iterator[Batch]:
        """Prepared views, grouped so that memory holds about one engine batch of them."""
        batch = Batch()
        for i, item in enumerate(items):
            try:
                with self.statistics.timed(self.modality, "prepare"):
                    prepared = self.prepare(item)
                    views = self._encoder_views(prepared)
            except Error as error:
                named = error.at(f"{self.modality}[{i}]")
                if not skip:
                    self.statistics.add(self.modality, errors=1)
                    raise named from None
                outcome.errors[i] = named
                continue
            if prepared.notes:
                outcome.notes[i] = prepared.notes
            batch.rows.append(i)
            batch.views.append(views)
            if batch.count() >= self.engine.max_batch:
                yield batch
                batch = Batch()
        if batch.rows:
            yield batch

    def _encoder_views(self, prepared: Prepared) -> npt.NDArray[np.generic]:
        """``[V, …]`` as the encoder takes it: a still image is one frame shown twice."""
        array = np.asarray(prepared.array)
        view = MODALITIES[self.modality].view
        views = array if array.ndim > len(view) else array[None]
        if self.modality == "image" and len(self.encoder.view) == len(view) + 1:
            return np.repeat(views[:, :, None], self.encoder.view[1], axis=2)
        return views

    def _run(self, batch: Batch, normalize: bool, rows: Rows) -> None:
        views = np.concatenate(batch.views)
        if self.modality == "text":
            views = cut_at_end(views)
        embedded = np.empty((len(views), self.embed_dim), np.float32)
        step = self.engine.max_batch
        for start in range(0, len(views), step):
            with self.statistics.timed(self.modality, "engine"):
                self.engine.run(
                    np.ascontiguousarray(views[start : start + step]), embedded[start : start + step]
                )
            self.statistics.add(self.modality, batches=1)
        with self.statistics.timed(self.modality, "pool"):
            counts = np.array([len(v) for v in batch.views], np.int64)
            rows[batch.rows] = _core.pool_views(embedded, counts, normalize=normalize)
        self.statistics.add(self.modality, views=len(views))


def cut_at_end(ids: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Token ids up to the batch's last pooled position.

    With causal attention nothing after the pooled token (the first largest id) can change it.
    """
    return ids[:, : int(ids.argmax(axis=1).max()) + 1]


def as_items(modality: str, value: object) -> list[object]:
    """One item or a list of them, as a list."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, dict):
        raise InputError(modality, "a dict is no item", "give one item or a list of items")
    is_iterator = hasattr(value, "__next__") and not hasattr(value, "read")
    return list(value) if is_iterator else [value]  # type: ignore[call-overload]
