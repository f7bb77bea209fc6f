"""Items in, vectors out, for one modality: prepare → batch of views → engine → pool."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bindrt import _core
from bindrt.arrays import Array
from bindrt.bundle.manifest import EncoderInfo
from bindrt.ending import engine_gate
from bindrt.engines import Engine
from bindrt.errors import EngineError, Error
from bindrt.items import Prepared
from bindrt.modalities import Modality, Tokens, Views, for_encoder
from bindrt.notes import Notes
from bindrt.prefetch import prefetched
from bindrt.statistics import Counts

Rows = npt.NDArray[np.float32]


#: Texts that are prepared before they are grouped by length; 2.5 MB of tokens.
TEXT_WINDOW = 4096
#: What one more engine call costs, in tokens: it must read the weights, which a token more need not. Measured
#: by ``python -m bench embed``.
CALL_TOKENS = 64


@dataclass
class Batch:
    """Views of items, waiting for the engine."""

    rows: list[int] = field(default_factory=list)
    views: list[Array] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)  # how much each view counts in its item's mean

    def add(self, row: int, views: Array, weights: Array | None) -> None:
        self.rows.append(row)
        self.views.append(views)
        self.weights.append(np.ones(len(views), np.float32) if weights is None else weights)

    def count(self) -> int:
        return sum(len(v) for v in self.views)

    def of(self, items: Sequence[int]) -> Batch:
        """Some of its items."""
        return Batch(
            [self.rows[i] for i in items], [self.views[i] for i in items], [self.weights[i] for i in items]
        )


@dataclass
class Outcome:
    """Vectors ``[N, D]`` with what happened to single items; a failed row is NaN."""

    rows: Rows
    errors: dict[int, Error] = field(default_factory=dict)
    notes: dict[int, Notes] = field(default_factory=dict)


@dataclass(frozen=True)
class Embedder:
    """Embeds items of one modality."""

    modality: Modality
    encoder: EncoderInfo
    engine: Engine
    prepare: Callable[[object], Views]
    embed_dim: int
    counts: Counts

    def embed(self, items: Sequence[object], normalize: bool, skip: bool) -> Outcome:
        """Embed items in order; with ``skip`` a bad item fails alone, else the first one raises."""
        outcome = Outcome(np.full((len(items), self.embed_dim), np.nan, np.float32))
        # Closed at an error: no other thread may still read the caller's items then.
        with closing(prefetched(self._ready, items, self._prefetch(items))) as prepared:
            for batch in self._batches(prepared, skip, outcome):
                groups = by_length(batch, self.engine.max_batch) if self.modality.tokens else (batch,)
                for group in groups:
                    self._run(group, normalize, skip, outcome)
        failed = len(outcome.errors)
        self.counts.add(self.modality.name, items=len(items) - failed, errors=failed)
        return outcome

    def _batches(self, items: Iterable[Callable[[], Views]], skip: bool, outcome: Outcome) -> Iterator[Batch]:
        """Prepared views, grouped so that memory holds about one engine batch of them; of texts, many."""
        most = max(TEXT_WINDOW, self.engine.max_batch) if self.modality.tokens else self.engine.max_batch
        batch, held = Batch(), 0
        for i, ready in enumerate(items):
            try:
                views = ready()
            except Error as error:
                named = error.at(f"{self.modality.name}[{i}]")
                if not skip:
                    self.counts.add(self.modality.name, errors=1)
                    raise named from None
                outcome.errors[i] = named
                continue
            if views.notes:
                outcome.notes[i] = views.notes
            batch.add(i, for_encoder(views.array, self.encoder.view), views.weights)
            held += len(views.array)
            if held >= most:
                yield batch
                batch, held = Batch(), 0
        if batch.rows:
            yield batch

    def _prefetch(self, items: Sequence[object]) -> int:
        """Items to prepare while the engine runs. A text takes less time than a thread takes to wake."""
        if self.modality.tokens or all(isinstance(item, Prepared) for item in items):
            return 0
        return max(os.cpu_count() or 1, self.engine.max_batch // self.modality.views)

    def _ready(self, item: object) -> Views:
        with self.counts.timed(self.modality.name, "prepare"):
            return self.prepare(item)

    def _run(self, batch: Batch, normalize: bool, skip: bool, outcome: Outcome) -> None:
        views = np.concatenate(batch.views)
        embedded = np.empty((len(views), self.embed_dim), np.float32)
        step = self.engine.max_batch
        for start in range(0, len(views), step):
            inputs = views[start : start + step]
            if self.modality.tokens:
                inputs = cut_at_end(inputs)
            with self.counts.timed(self.modality.name, "engine"), engine_gate:
                self.engine.run(np.ascontiguousarray(inputs), embedded[start : start + step])
            self.counts.add(self.modality.name, batches=1)
        with self.counts.timed(self.modality.name, "pool"):
            counts = np.array([len(v) for v in batch.views], np.int64)
            weights = np.concatenate(batch.weights)
            rows = _core.pool_views(embedded, counts, weights, normalize)
        self.counts.add(self.modality.name, views=len(views))
        for at, problem in _core.vector_problems(rows, normalize):
            row = batch.rows[at]
            error = vector_error(self.modality.name, problem).at(f"{self.modality.name}[{row}]")
            if not skip:
                self.counts.add(self.modality.name, errors=1)
                raise error
            outcome.errors[row] = error
            rows[at] = np.nan
        outcome.rows[batch.rows] = rows


def vector_error(modality: str, problem: str) -> EngineError:
    """What is said of an item whose vector may not be handed out."""
    return EngineError(
        modality,
        problem,
        "look at the item's numbers; `bind-export --check` knows if the bundle is damaged",
    )


def by_length(batch: Batch, most: int, call: int = CALL_TOKENS) -> Iterator[Batch]:
    """A batch of texts as groups of similar length, so that few are padded, the shortest first.

    Args:
        most: rows of an engine call.
        call: see :func:`cuts`.
    """
    lengths = np.array([int(Tokens.used(views).max()) for views in batch.views])
    order = np.argsort(lengths, kind="stable")
    start = 0
    for end in cuts(lengths[order], most, call):
        yield batch.of(order[start:end].tolist())
        start = end


def cuts(lengths: npt.NDArray[np.int64], most: int, call: int) -> list[int]:
    """Where to cut ascending lengths so that tokens, with padding and ``call`` more a call, are fewest.

    Args:
        lengths: ``[N]``, at least one.
        most: texts of one call; a longer group takes several.

    Returns:
        The end of each group; the last is N.
    """
    ends = [*(np.flatnonzero(np.diff(lengths)) + 1).tolist(), len(lengths)]  # where another length begins
    best = [(0, 0)]  # for the texts before each start: the tokens, and the last group's start
    starts = [0, *ends[:-1]]
    for i, end in enumerate(ends):
        length = int(lengths[end - 1])
        options = (
            (best[j][0] + (end - starts[j]) * length + -(-(end - starts[j]) // most) * call, j)
            for j in range(i + 1)
        )
        best.append(min(options))
    found: list[int] = []
    at = len(ends)
    while at > 0:
        found.append(ends[at - 1])
        at = best[at][1]
    return found[::-1]


def cut_at_end(ids: Array) -> Array:
    """Token ids ``[N, length]`` without the columns that no row uses."""
    return ids[:, : int(Tokens.used(ids).max())]
