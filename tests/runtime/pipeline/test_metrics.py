"""``bindrt.metrics``: what Prometheus reads is what the pipeline counted."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

import bindrt
from bindrt.metrics import PrometheusCollector
from bindrt.statistics import OUTCOMES, PIPELINE_COUNTERS, PIPELINE_GAUGES

prometheus_client = pytest.importorskip("prometheus_client")

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(*collectors: PrometheusCollector) -> Samples:
    """What a server sends, read by the library's own parser."""
    from prometheus_client.parser import text_string_to_metric_families

    registry = prometheus_client.CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    text = prometheus_client.generate_latest(registry).decode()
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_every_count_of_the_core_is_declared(small_bundle: Path) -> None:
    with bindrt.load(small_bundle, modalities=["text"]) as model:
        model.submit("text", "a").result(60)
        counted = model.stats()["text"]["pipeline"]
    declared = {count.key for count in (*PIPELINE_COUNTERS, *PIPELINE_GAUGES)} | set(OUTCOMES)
    assert set(counted) == declared | {"batches_made", "batch_sizes", "seconds"}


def test_counts_gauges_and_histograms(small_bundle: Path) -> None:
    options = bindrt.PipelineOptions(cache_bytes=1 << 20)
    with bindrt.load(small_bundle, pipeline=options) as model:
        collector = PrometheusCollector(model, "a")
        assert not any("modality" in dict(labels) for _, labels in scrape(collector))
        for _ in model.stream("text", [f"text {i}" for i in range(40)]):
            pass
        model.submit("text", "text 7").result(60)
        with pytest.raises(bindrt.InputError):
            model.submit("image", b"no picture").result(60)
        end = time.monotonic() + 30  # a batch's times are recorded after its vectors are handed over
        while model.stats()["text"]["pipeline"]["rows_in_flight"] and time.monotonic() < end:
            time.sleep(0.01)
        found = scrape(collector)
        counted = model.stats()["text"]["pipeline"]
    text = {"model": "a", "modality": "text"}
    assert value(found, "bindrt_requests_submitted_total", **text) == 40
    assert value(found, "bindrt_requests_total", **text, outcome="done") == 40
    assert value(found, "bindrt_requests_total", model="a", modality="image", outcome="failed") == 1
    assert value(found, "bindrt_batches_total", **text) == counted["batches"]
    assert value(found, "bindrt_queued_requests", **text) == 0
    assert value(found, "bindrt_batch_memory_bytes", **text) > 0
    assert value(found, "bindrt_cache_hits_total", **text) == 1
    assert value(found, "bindrt_cache_bytes", **text) == counted["sharing"]["cached_bytes"]
    assert value(found, "bindrt_batch_rows_sum", **text) == 40
    assert value(found, "bindrt_batch_rows_count", **text) == counted["batches"]
    for stage, of in counted["seconds"].items():
        labels = {**text, "stage": stage}
        assert value(found, "bindrt_stage_seconds_count", **labels) == of["count"]
        assert value(found, "bindrt_stage_seconds_sum", **labels) == pytest.approx(of["sum"])
        buckets = sorted(
            (float(dict(labels_)["le"]), count)
            for (name, labels_), count in found.items()
            if name == "bindrt_stage_seconds_bucket" and {*labels.items()} <= labels_
        )
        counts = [count for _, count in buckets]
        assert counts == sorted(counts)
        assert counts[-1] == of["count"]
        # Where half and almost all are, the percentiles must agree with the buckets.
        for fraction, key in ((0.5, "p50"), (0.99, "p99")):
            at = next(i for i, (_, count) in enumerate(buckets) if count >= fraction * of["count"])
            assert of[key] <= buckets[at][0]
            assert at == 0 or of[key] >= buckets[at - 1][0]


def test_several_models_in_one_registry(small_bundle: Path) -> None:
    with bindrt.load(small_bundle) as one, bindrt.load(small_bundle) as two:
        one.submit("text", "a").result(60)
        for _ in range(2):
            two.submit("text", "a").result(60)
        found = scrape(PrometheusCollector(one, "one"), PrometheusCollector(two))
    ends = {"modality": "text", "outcome": "done"}
    assert value(found, "bindrt_requests_total", model="one", **ends) == 1
    assert value(found, "bindrt_requests_total", model="small", **ends) == 2


def test_without_the_library(small_model: bindrt.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(bindrt.Error, match="pip install 'prometheus-client>="):
        PrometheusCollector(small_model)
    report = bindrt.doctor()
    part = next(p for p in report.libraries if p.name == "prometheus_client")
    assert not part.present
    assert part.remedy == "pip install 'prometheus-client>=0.20'"
    assert not any("prometheus" in problem for problem in report.problems)
