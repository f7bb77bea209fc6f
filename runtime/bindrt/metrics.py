"""A model's statistics for Prometheus: ``REGISTRY.register(PrometheusCollector(model))``.

Needs ``pip install 'bindrt[metrics]'``. Nothing is counted twice: a scrape reads what the pipeline counts
anyway. docs/pipeline.md lists the names. Counts of an encoder start again at 0 when it is unloaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bindrt.errors import Error

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from bindrt.model import Model

#: Buckets of times end below powers of two of a nanosecond, 16 µs to 69 s: there the core's histogram has
#: limits of its own, so that every bucket is exact.
LEAST_POWER, MOST_POWER = 14, 36
OUTCOMES = ("done", "failed", "cancelled", "expired", "closed", "refused")
#: Name, what it is, and the name in ``Model.stats()``.
COUNTERS = (
    ("bindrt_requests_submitted", "Requests that were accepted.", "submitted"),
    ("bindrt_batches", "Batches that went to the engine.", "batches"),
    ("bindrt_rows", "Views the engine computed.", "rows"),
    ("bindrt_engine_calls", "Calls of the engine.", "engine_calls"),
    ("bindrt_batch_splits", "Batches halved to find an item that makes the engine fail.", "splits"),
    ("bindrt_batch_halvings", "Halvings of the batch size, out of memory.", "halvings"),
    ("bindrt_rows_copied", "Views made elsewhere and copied into a batch.", "rows_copied"),
    ("bindrt_rows_moved", "Views moved over holes that others left in a batch.", "rows_moved"),
    ("bindrt_rows_borrowed", "Views the engine read where the caller had them.", "rows_borrowed"),
)
GAUGES = (
    ("bindrt_queued_requests", "Requests in the queue.", "queued"),
    ("bindrt_preparing_requests", "Requests being prepared.", "preparing"),
    ("bindrt_rows_in_flight", "Views being prepared, in batches or in the engine.", "rows_in_flight"),
    ("bindrt_batch_limit_rows", "Views the engine takes at once; less after out of memory.", "limit"),
    ("bindrt_batch_memory_bytes", "Memory of batches.", "batch_bytes"),
)
SHARED = (
    ("bindrt_cache_hits", "Items answered from the cache.", "hits"),
    ("bindrt_cache_misses", "Items that were computed.", "misses"),
    ("bindrt_shared_requests", "Items that waited for an equal one's vector.", "shared"),
    ("bindrt_cache_evictions", "Vectors the cache had no more room for.", "evicted"),
)


class PrometheusCollector:
    """Collects one model's metrics, labelled ``model`` and ``modality``.

    Args:
        model: a loaded model.
        name: the value of ``model``, apart for each model of a registry; by default the bundle's name.

    Raises:
        Error: ``prometheus_client`` is not installed.
    """

    def __init__(self, model: Model, name: str | None = None) -> None:
        try:
            from prometheus_client import core
        except ImportError:
            raise Error(
                "bindrt.metrics", "prometheus_client is not installed", "pip install 'bindrt[metrics]'"
            ) from None
        self._core: Any = core
        self._pipelines = model._pipelines
        self._name = name if name is not None else model.bundle.path.name.removesuffix(".bind")

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry then does not collect when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Called by the registry at each scrape."""
        found = self._pipelines.stats()
        yield self._requests(found)
        for name, text, key in COUNTERS:
            yield self._numbers(self._core.CounterMetricFamily, name, text, found, key)
        for name, text, key in GAUGES:
            yield self._numbers(self._core.GaugeMetricFamily, name, text, found, key)
        yield self._batch_sizes(found)
        yield self._seconds(found)
        shared = {m: counts["sharing"] for m, counts in found.items() if "sharing" in counts}
        if shared:
            for name, text, key in SHARED:
                yield self._numbers(self._core.CounterMetricFamily, name, text, shared, key)
            text = "Memory of the cache."
            gauge = self._core.GaugeMetricFamily
            yield self._numbers(gauge, "bindrt_cache_bytes", text, shared, "cached_bytes")

    def _numbers(self, kind: Any, name: str, text: str, found: dict[str, dict[str, Any]], key: str) -> Metric:
        family: Metric = kind(name, text, labels=("model", "modality"))
        for modality, counts in found.items():
            family.add_metric((self._name, modality), counts[key])  # type: ignore[attr-defined]
        return family

    def _requests(self, found: dict[str, dict[str, Any]]) -> Metric:
        family: Metric = self._core.CounterMetricFamily(
            "bindrt_requests", "Requests by how they ended.", labels=("model", "modality", "outcome")
        )
        for modality, counts in found.items():
            for outcome in OUTCOMES:
                family.add_metric((self._name, modality, outcome), counts[outcome])  # type: ignore[attr-defined]
        return family

    def _batch_sizes(self, found: dict[str, dict[str, Any]]) -> Metric:
        family: Metric = self._core.HistogramMetricFamily(
            "bindrt_batch_rows", "Views of a batch.", labels=("model", "modality")
        )
        for modality, counts in found.items():
            sizes: dict[int, int] = counts["batch_sizes"]
            buckets, below = [], 0
            for most in (1, 2, 4, 8, 16, 32, 64, 128, 256):
                below = sum(count for rows, count in sizes.items() if rows <= most)
                buckets.append((str(float(most)), below))
            buckets.append(("+Inf", sum(sizes.values())))
            family.add_metric((self._name, modality), buckets, counts["rows"])  # type: ignore[attr-defined]
        return family

    def _seconds(self, found: dict[str, dict[str, Any]]) -> Metric:
        family: Metric = self._core.HistogramMetricFamily(
            "bindrt_stage_seconds",
            "Times by stage: queue, prepare, batch, total by request, engine and finish by batch.",
            labels=("model", "modality", "stage"),
        )
        limits = [repr(2**bits / 1e9) for bits in range(LEAST_POWER, MOST_POWER + 1)]
        for modality, stages in self._pipelines.times_below(LEAST_POWER, MOST_POWER).items():
            for stage, below in stages.items():
                if modality in found:  # its encoder was not loaded in between
                    total = found[modality]["seconds"][stage]["sum"]
                    buckets = list(zip([*limits, "+Inf"], below, strict=True))
                    family.add_metric((self._name, modality, stage), buckets, total)  # type: ignore[attr-defined]
        return family
