"""What is told of requests: a line of JSON each, without their contents, and metrics for Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from bindrt.metrics import PrometheusCollector
from bindrt.model import Model
from bindrt.serving.access_log import ACCESS, dropped_lines
from bindrt.serving.exchange import Exchange
from bindrt.serving.replies import json_bytes

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Record(NamedTuple):
    """What is told of a request; its status is a number of HTTP, or a code of gRPC."""

    protocol: str
    status: str
    seconds: float
    method: str
    path: str
    client: str
    model: str
    items: int
    bytes_in: int
    bytes_out: int


def record_of(exchange: Exchange) -> Record:
    """What is told of a request over HTTP."""
    client = exchange.scope.get("client")
    return Record(
        exchange.protocol.name,
        str(exchange.status),
        exchange.seconds,
        exchange.scope["method"],
        exchange.scope["path"][:200],
        client[0] if client else "",
        exchange.model,
        exchange.items,
        exchange.bytes_in,
        exchange.bytes_out,
    )


class Observer:
    """Counts requests, and writes the access log."""

    def __init__(self, models: Mapping[str, Model], logs: bool) -> None:
        self._logs = logs
        self._registry = CollectorRegistry()
        for name, model in models.items():
            self._registry.register(PrometheusCollector(model, name))
        self._registry.register(_Dropped())
        labels = ("protocol", "status")
        self._answers = Counter(
            "bindrt_http_requests", "Requests by how they were answered.", labels, registry=self._registry
        )
        self._seconds = Histogram(
            "bindrt_http_request_seconds",
            "Seconds from a request's headers to its answer.",
            ("protocol",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.in_flight = Gauge(
            "bindrt_http_requests_in_flight", "Requests that are not answered yet.", registry=self._registry
        )

    def tell(self, record: Record) -> None:
        """A request is over."""
        self._answers.labels(record.protocol, record.status).inc()
        self._seconds.labels(record.protocol).observe(record.seconds)
        if self._logs and ACCESS.isEnabledFor(logging.INFO):
            ACCESS.info("%s", _line(record))

    def metrics(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _Dropped(Collector):
    """Lines of the access log that nobody read."""

    def collect(self) -> Iterator[Metric]:
        what = "Lines of the access log that were not written, since nobody read them."
        yield CounterMetricFamily("bindrt_access_log_dropped", what, value=dropped_lines())


def _line(record: Record) -> str:
    told = record._asdict()
    seconds, status = told.pop("seconds"), record.status
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    told["status"] = int(status) if status.isdecimal() else status
    return json_bytes({"time": now, "ms": round(seconds * 1000, 3), **told}).decode()
