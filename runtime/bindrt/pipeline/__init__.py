"""Requests of many callers, batched and overlapped: ``Model.submit``, ``aembed`` and ``stream``."""

from bindrt.pipeline.futures import EmbeddingFuture
from bindrt.pipeline.options import PipelineOptions
from bindrt.pipeline.pipelines import Pipelines
from bindrt.pipeline.request_options import RequestOptions, new_caller, request_options
from bindrt.pipeline.streaming import Streamed

__all__ = [
    "EmbeddingFuture",
    "PipelineOptions",
    "Pipelines",
    "RequestOptions",
    "Streamed",
    "new_caller",
    "request_options",
]
