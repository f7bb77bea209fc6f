"""The metrics of all workers as one text: every number says in a label whose it is.

They are not added up here: a worker that begins again counts from 0, which Prometheus sees only where its
numbers stand alone. ``sum without (worker) (…)`` adds them up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

LABEL = "worker"


def merged(texts: Mapping[int, str], starts: Mapping[int, int]) -> bytes:
    """One text of those of several workers.

    Args:
        texts: by the worker's number, in Prometheus' text format.
        starts: how often each worker was started.

    >>> merged({0: "# TYPE up gauge\\nup 1.0\\n", 1: "# TYPE up gauge\\nup 2.0\\n"}, {}).splitlines()[-2:]
    [b'up{worker="0"} 1.0', b'up{worker="1"} 2.0']
    """
    registry = CollectorRegistry()
    registry.register(_Given([_starts(starts), *_families(texts).values()]))
    return generate_latest(registry)


class _Given(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _families(texts: Mapping[int, str]) -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    for worker, text in texts.items():
        for family in text_string_to_metric_families(text):
            mine = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            mine.samples += [
                sample._replace(labels={**sample.labels, LABEL: str(worker)}) for sample in family.samples
            ]
    return found


def _starts(starts: Mapping[int, int]) -> Metric:
    family = CounterMetricFamily("bindrt_worker_starts", "How often a worker was started.", labels=(LABEL,))
    for worker, count in starts.items():
        family.add_metric((str(worker),), count)
    return family
