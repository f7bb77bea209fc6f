"""A model's statistics for Prometheus: ``REGISTRY.register(PrometheusCollector(model))``.

Needs the extra ``metrics``. Nothing is counted twice: a scrape reads what the pipeline counts
anyway. docs/pipeline.md lists the names. Counts of an encoder start again at 0 when it is unloaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bindrt.errors import Error
from bindrt.extras import install
from bindrt.statistics import (
    OUTCOMES,
    PIPELINE_COUNTERS,
    PIPELINE_GAUGES,
    SHARING_COUNTERS,
    SHARING_GAUGES,
    Count,
)

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from bindrt.model import Model

#: Buckets of times end below powers of two of a nanosecond, 16 µs to 69 s: there the core's histogram has
#: limits of its own, so that every bucket is exact.
LEAST_POWER, MOST_POWER = 14, 36


class PrometheusCollector:
    """Collects one model's metrics, labelled ``model`` and ``modality``.

    Args:
        model: a loaded model.
        name: the value of ``model``, apart for each model of a registry; by default the bundle's name.

    Raises:
        Error: ``prometheus_client`` is not installed.

    >>> collector = PrometheusCollector(model)
    >>> next(iter(collector.collect())).name
    'bindrt_requests'
    """

    def __init__(self, model: Model, name: str | None = None) -> None:
        try:
            from prometheus_client import core
        except ImportError:
            raise Error("bindrt.metrics", "prometheus_client is not installed", install("metrics")) from None
        self._core: Any = core
        self._pipelines = model.pipelines
        self._name = name if name is not None else model.bundle.path.name.removesuffix(".bind")

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry then does not collect when this is registered.

        >>> PrometheusCollector(model).describe()
        []
        """
        return []

    def collect(self) -> Iterator[Metric]:
        """Called by the registry at each scrape.

        >>> sorted({family.type for family in PrometheusCollector(model).collect()})
        ['counter', 'gauge', 'histogram']
        """
        found = self._pipelines.stats()
        yield self._requests(found)
        counter, gauge = self._core.CounterMetricFamily, self._core.GaugeMetricFamily
        for count in PIPELINE_COUNTERS:
            yield self._numbers(counter, count, found)
        for count in PIPELINE_GAUGES:
            yield self._numbers(gauge, count, found)
        yield self._batch_sizes(found)
        yield self._seconds(found)
        sharing = {m: counts["sharing"] for m, counts in found.items() if "sharing" in counts}
        if sharing:
            for count in SHARING_COUNTERS:
                yield self._numbers(counter, count, sharing)
            for count in SHARING_GAUGES:
                yield self._numbers(gauge, count, sharing)

    def _numbers(self, kind: Any, count: Count, found: dict[str, dict[str, Any]]) -> Metric:
        family: Metric = kind(count.metric, count.text, labels=("model", "modality"))
        for modality, counts in found.items():
            family.add_metric((self._name, modality), counts[count.key])  # type: ignore[attr-defined]
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
