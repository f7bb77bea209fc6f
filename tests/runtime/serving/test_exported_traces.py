"""Spans of ``bind-serve --traces`` as a collector gets them: OTLP over HTTP."""

from __future__ import annotations

import gzip
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from support.serve_process import serving
from support.serving import wait_for

messages = pytest.importorskip(
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="the extra otel is not installed"
)
pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed")


@pytest.fixture
def collector() -> Iterator[tuple[int, list[Any]]]:
    """A port that takes what is exported, and what came."""
    came: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                came.append(messages.ExportTraceServiceRequest.FromString(body))
            answer = messages.ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1], came
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_collector_gets_all_spans_of_a_request(
    collector: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, came = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "embedder")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with serving("tiny", "--no-access-log", "--traces") as (process, serves):
        asked = urllib.request.Request(
            f"http://127.0.0.1:{serves}/v1/embeddings",
            json.dumps({"input": "a bell"}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=120) as answer:
            assert answer.status == 200
        wait_for(lambda: len(spans(came)) >= 3 or process.poll() is not None)
    found = spans(came)
    assert set(found) >= {"POST openai", "read", "embed"}
    (service,) = {
        each.value.string_value
        for request in came
        for group in request.resource_spans
        for each in group.resource.attributes
        if each.key == "service.name"
    }
    assert service == "embedder"
    assert found["read"].parent_span_id == found["embed"].parent_span_id == found["POST openai"].span_id


def spans(came: list[Any]) -> dict[str, Any]:
    """By name."""
    return {
        span.name: span
        for request in came
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    }
