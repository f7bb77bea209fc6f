"""Traces for OpenTelemetry: a span for each request, and in it those of reading, embedding and its stages.

Needs the extra ``otel``. A span has numbers and names, never contents.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bindrt.errors import Error
from bindrt.extras import install
from bindrt.installed import installed_version
from bindrt.pipeline.stages import Stages, watched
from bindrt.serving.observing import Record

#: Codes of gRPC for what is the server's fault.
_FAILED = ("INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED")


def _api() -> Any:
    """OpenTelemetry's API.

    Raises:
        Error: it is not installed.
    """
    try:
        from opentelemetry import trace
    except ImportError as error:
        raise Error("traces", f"{error.name} is not installed", install("otel")) from None
    return trace


class Traces:
    """Makes spans with the tracer provider of the process; without ``on`` nothing.

    Raises:
        Error: the extra ``otel`` is not installed.
    """

    def __init__(self, on: bool) -> None:
        self._api: Any = _api() if on else None

    @contextmanager
    def request(self, name: str, headers: Iterable[tuple[bytes, bytes]]) -> Iterator[Any]:
        """The span of a request, below the one that ``traceparent`` names; None where none is made."""
        if self._api is None:
            yield None
            return
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        given = {key.decode("latin-1"): value.decode("latin-1") for key, value in headers}
        caller = TraceContextTextMapPropagator().extract(given)
        with self._tracer().start_as_current_span(
            name, context=caller, kind=self._api.SpanKind.SERVER, record_exception=False
        ) as span:
            yield span

    @contextmanager
    def embed(self, model: str, counts: Mapping[str, int]) -> Iterator[None]:
        """The span of embedding, and in it for each modality ``prepare`` and ``engine``.

        The rest of it is waiting: for a place in the queue and in a batch, and for the engine. What came
        before it since the request's begin is a span of its own, ``read``.
        """
        if self._api is None:
            yield
            return
        tracer, about = self._tracer(), {f"bindrt.items.{modality}": n for modality, n in counts.items()}
        began = getattr(self._api.get_current_span(), "start_time", None)
        if began is not None:
            tracer.start_span("read", start_time=began).end()
        with (
            tracer.start_as_current_span(
                "embed", attributes={"bindrt.model": model, **about}, record_exception=False
            ),
            watched() as stages,
        ):
            try:
                yield
            finally:
                _tell(tracer, stages)

    def answered(self, span: Any, record: Record) -> None:
        """Tells a request's span how it was answered."""
        if span is None:
            return
        about = {
            "bindrt.protocol": record.protocol,
            "bindrt.model": record.model,
            "bindrt.items": record.items,
        }
        span.set_attributes({**about, "bindrt.status": record.status, "url.path": record.path})
        if record.status.isdecimal():
            span.set_attribute("http.response.status_code", int(record.status))
        if record.status in _FAILED or (record.status.isdecimal() and int(record.status) >= 500):
            span.set_status(self._api.StatusCode.ERROR)

    def _tracer(self) -> Any:
        return self._api.get_tracer("bindrt.serving", installed_version("bindrt"))


def _tell(tracer: Any, stages: Mapping[str, Stages]) -> None:
    """Spans of the stages, below the current one."""
    since = time.time_ns() - time.monotonic_ns()
    for modality, of in stages.items():
        for name, (begin, end) in of._asdict().items():
            about = {"bindrt.modality": modality}
            tracer.start_span(name, start_time=since + begin, attributes=about).end(since + end)


@contextmanager
def exported(on: bool) -> Iterator[None]:
    """While inside, spans of this process are sent to where OpenTelemetry's environment variables say.

    ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_SERVICE_NAME`` and the others mean what they mean everywhere.

    Raises:
        Error: the extra ``otel`` is not installed.
    """
    if not on:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise Error("--traces", f"{error.name} is not installed", install("otel")) from None
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _api().set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
