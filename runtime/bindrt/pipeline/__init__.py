"""Requests of many callers, batched and overlapped: ``Model.submit``, ``aembed`` and ``stream``."""

from bindrt.pipeline.futures import EmbeddingFuture
from bindrt.pipeline.options import PipelineOptions
from bindrt.pipeline.pipelines import Pipelines
from bindrt.pipeline.streaming import Streamed

__all__ = ["EmbeddingFuture", "Pipelines", "PipelineOptions", "Streamed"]
