"""Spans of requests, as OpenTelemetry's SDK gets them; and what happens without it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

import bindrt
from bindrt.errors import Error
from bindrt.serving import ServeOptions, app
from support.serving import running, wait_for

if TYPE_CHECKING:
    from support.serving import Running

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def exporter() -> Any:
    """What is told of spans. A process has one provider, so it is set once."""
    reason = "the extra otel is not installed"
    trace = pytest.importorskip("opentelemetry.trace", reason=reason)
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason=reason)
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    found = InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(found))
    trace.set_tracer_provider(provider)
    return found


@pytest.fixture(scope="module")
def traced(served_model: bindrt.Model, exporter: Any) -> Iterator[Running]:
    with running(served_model, ServeOptions(traces=True), grpc=True) as server:
        yield server


def spans(exporter: Any, name: str) -> dict[str, Any]:
    """The spans of one request, by name, once its own is there."""

    def found() -> dict[str, Any]:
        every = exporter.get_finished_spans()
        own = [each for each in every if each.name == name]
        trace_ids = {each.context.trace_id for each in own}
        return {each.name: each for each in every if each.context.trace_id in trace_ids}

    wait_for(lambda: name in found())
    return found()


def test_a_request_is_a_span_below_its_callers(traced: Running, exporter: Any) -> None:
    exporter.clear()
    asked = {"input": ["my secret", "a bell"]}
    assert traced.post("/v1/embeddings", asked, {"traceparent": CALLER}).status == 200
    found = spans(exporter, "POST openai")
    request = found["POST openai"]
    assert f"{request.context.trace_id:032x}" == CALLER.split("-")[1]
    assert f"{request.parent.span_id:016x}" == CALLER.split("-")[2]
    assert request.kind.name == "SERVER"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["bindrt.items"] == 2
    for name in ("read", "embed"):
        assert found[name].parent.span_id == request.context.span_id
    assert found["embed"].attributes == {"bindrt.model": "tiny", "bindrt.items.text": 2}
    assert request.start_time == found["read"].start_time <= found["read"].end_time
    assert found["read"].end_time <= found["embed"].end_time <= request.end_time
    for name in ("prepare", "engine"):
        assert found[name].parent.span_id == found["embed"].context.span_id
        assert found[name].attributes == {"bindrt.modality": "text"}
        assert found[name].start_time <= found[name].end_time
    assert found["engine"].start_time < found["engine"].end_time
    assert found["prepare"].end_time <= found["engine"].start_time
    assert "secret" not in "".join(each.to_json() for each in found.values())


def test_a_bad_request_is_a_span_too(traced: Running, exporter: Any) -> None:
    exporter.clear()
    assert traced.post("/vectorize", {"texts": 1}).status == 400
    request = spans(exporter, "POST weaviate")["POST weaviate"]
    assert request.parent is None
    assert request.attributes["bindrt.status"] == "400"
    assert request.status.is_unset  # the client's fault


def test_a_call_of_grpc_is_a_span(traced: Running, exporter: Any) -> None:
    grpc = pytest.importorskip("grpc", reason="the extra serve is not installed")
    exporter.clear()
    with grpc.insecure_channel(f"127.0.0.1:{traced.server.grpc_port}") as channel:
        call = channel.unary_unary("/inference.GRPCInferenceService/ServerReady")
        assert call(b"", timeout=120, metadata=[("traceparent", CALLER)]) == b"\x08\x01"
    request = spans(exporter, "grpc ServerReady")["grpc ServerReady"]
    assert f"{request.parent.span_id:016x}" == CALLER.split("-")[2]
    assert request.attributes["bindrt.status"] == "OK"


def test_without_the_extra(served_model: bindrt.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(Error, match="opentelemetry is not installed; pip install"):
        app(served_model, ServeOptions(traces=True))
    app(served_model, ServeOptions())
