"""Requests of many callers, batched and overlapped: ``Model.submit``, ``aembed`` and ``stream``."""

from bindrt.pipeline.front import Front
from bindrt.pipeline.futures import EmbeddingFuture
from bindrt.pipeline.options import PipelineOptions
from bindrt.pipeline.streaming import Streamed

__all__ = ["EmbeddingFuture", "Front", "PipelineOptions", "Streamed"]
