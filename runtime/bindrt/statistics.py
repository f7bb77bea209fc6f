"""What is counted, by modality: each count is declared here once, and ``Model.stats`` is merged here.

Three places count: calls of ``embed`` (:class:`Counts` of ``CALLS``), the pipeline's core
(csrc/pipeline/lane.h, under the keys of ``PIPELINE_COUNTERS`` and ``PIPELINE_GAUGES``), and what shares equal
items (:class:`Counts` of ``SHARING``). :mod:`bindrt.metrics` sends the same counts to Prometheus.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple

#: A call of ``embed``: items embedded, items that failed, views, batches, and seconds by stage.
CALLS: Mapping[str, float] = {
    "items": 0,
    "errors": 0,
    "views": 0,
    "batches": 0,
    "prepare_seconds": 0.0,
    "engine_seconds": 0.0,
    "pool_seconds": 0.0,
}
#: How items were answered where equal ones share a vector, and what the cache holds.
SHARING: Mapping[str, float] = dict.fromkeys(
    ("hits", "misses", "shared", "unshared", "cancelled", "expired", "cached", "cached_bytes", "evicted"), 0
)


class Count(NamedTuple):
    """One count: its key in ``Model.stats()``, its name for Prometheus, and what it counts."""

    key: str
    metric: str
    text: str


#: How a request ends, or ``refused`` where the queue was full.
OUTCOMES = ("done", "failed", "cancelled", "expired", "closed", "refused")
PIPELINE_COUNTERS = (
    Count("submitted", "bindrt_requests_submitted", "Requests that were accepted."),
    Count("batches", "bindrt_batches", "Batches that went to the engine."),
    Count("rows", "bindrt_rows", "Views the engine computed."),
    Count("engine_calls", "bindrt_engine_calls", "Calls of the engine."),
    Count("splits", "bindrt_batch_splits", "Batches halved to find an item that makes the engine fail."),
    Count("halvings", "bindrt_batch_halvings", "Halvings of the batch size, out of memory."),
    Count("rows_copied", "bindrt_rows_copied", "Views made elsewhere and copied into a batch."),
    Count("rows_moved", "bindrt_rows_moved", "Views moved over holes that others left in a batch."),
    Count("rows_borrowed", "bindrt_rows_borrowed", "Views the engine read where the caller had them."),
    Count("rows_on_device", "bindrt_rows_on_device", "Views that were prepared on the engine's GPU."),
    Count(
        "pictures_decoded_on_device", "bindrt_pictures_decoded_on_device", "Pictures that the GPU decoded."
    ),
    Count("videos_decoded_on_device", "bindrt_videos_decoded_on_device", "Videos that the GPU decoded."),
    Count("bytes_to_device", "bindrt_bytes_to_device", "Bytes that were copied to the GPU for batches."),
)
PIPELINE_GAUGES = (
    Count("queued", "bindrt_queued_requests", "Requests in the queue."),
    Count("preparing", "bindrt_preparing_requests", "Requests being prepared."),
    Count("rows_in_flight", "bindrt_rows_in_flight", "Views being prepared, in batches or in the engine."),
    Count("rows_in_engine", "bindrt_rows_in_engine", "Views of batches that the engine has."),
    Count("device_lost", "bindrt_device_lost", "1 once the engine's GPU is lost: all requests fail."),
    Count("limit", "bindrt_batch_limit_rows", "Views the engine takes at once; less after out of memory."),
    Count("batch_bytes", "bindrt_batch_memory_bytes", "Memory of batches."),
)
SHARING_COUNTERS = (
    Count("hits", "bindrt_cache_hits", "Items answered from the cache."),
    Count("misses", "bindrt_cache_misses", "Items that were computed."),
    Count("shared", "bindrt_shared_requests", "Items that waited for an equal one's vector."),
    Count("evicted", "bindrt_cache_evictions", "Vectors the cache had no more room for."),
)
SHARING_GAUGES = (Count("cached_bytes", "bindrt_cache_bytes", "Memory of the cache."),)

#: What a pipeline's counts add to those of ``embed``, where that is one count.
_SAME_COUNTS = (
    ("items", "done"), ("errors", "failed"), ("errors", "expired"), ("views", "rows"), ("batches", "batches"),
)  # fmt: skip
_SAME_SECONDS = (("prepare_seconds", "prepare"), ("engine_seconds", "engine"), ("pool_seconds", "finish"))


class Counts:
    """Numbers by modality and name. Several threads may add to them.

    Args:
        zeros: the names, with 0 or 0.0 each.
    """

    def __init__(self, zeros: Mapping[str, float] = CALLS) -> None:
        self._zeros = zeros
        self._lock = threading.Lock()
        self._counts: dict[str, dict[str, float]] = {}

    def add(self, modality: str, **amounts: float) -> None:
        with self._lock:
            counts = self._counts.get(modality)
            if counts is None:
                counts = self._counts[modality] = dict(self._zeros)
            for name, amount in amounts.items():
                counts[name] += amount

    @contextmanager
    def timed(self, modality: str, stage: str) -> Iterator[None]:
        """Add the block's duration to ``<stage>_seconds``, also if it raises."""
        start = perf_counter()
        try:
            yield
        finally:
            self.add(modality, **{f"{stage}_seconds": perf_counter() - start})

    def of(self, modality: str) -> dict[str, float]:
        """The counts of one modality; zeros if nothing was added."""
        with self._lock:
            return dict(self._counts.get(modality, self._zeros))

    def snapshot(self) -> dict[str, dict[str, float]]:
        """The counts of each modality that something was added to."""
        with self._lock:
            return {modality: dict(counts) for modality, counts in self._counts.items()}


@dataclass(frozen=True)
class Work:
    """Seconds that threads prepared items, and that engines computed, of all modalities together.

    They are summed over threads and encoders, so they may be more than the time that has passed.
    """

    prepare: float = 0.0
    engine: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(self.prepare + other.prepare, self.engine + other.engine)

    def since(self, earlier: Work) -> Work:
        return Work(self.prepare - earlier.prepare, self.engine - earlier.engine)


def work_of(stats: Mapping[str, Mapping[str, Any]]) -> Work:
    """What ``Model.stats()`` says of a model's work so far."""
    prepare = sum(counts["prepare_seconds"] for counts in stats.values())
    return Work(prepare, sum(counts["engine_seconds"] for counts in stats.values()))


def merged(
    calls: Mapping[str, Mapping[str, float]], pipelines: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """``Model.stats()``: the counts of ``embed`` with the pipeline's added, and the pipeline's own below.

    Args:
        calls: counts of ``embed``, by modality.
        pipelines: what :meth:`Pipelines.stats` returns, by modality.
    """
    found: dict[str, dict[str, Any]] = {modality: dict(counts) for modality, counts in calls.items()}
    for modality, counts in pipelines.items():
        if not counts["submitted"]:
            continue
        total = found.setdefault(modality, dict(CALLS))
        for key, other in _SAME_COUNTS:
            total[key] += counts[other]
        for key, stage in _SAME_SECONDS:
            total[key] += counts["seconds"][stage]["sum"]
        total["pipeline"] = counts
    return found
