"""Equal items computed once: while they are in flight, and later from a cache. Options of the pipeline."""

from bindrt.pipeline.sharing.cache import ResultCache
from bindrt.pipeline.sharing.deduplicator import Deduplicator
from bindrt.pipeline.sharing.futures import SharedFuture
from bindrt.pipeline.sharing.identity import Identity, identify

__all__ = ["Deduplicator", "Identity", "ResultCache", "SharedFuture", "identify"]
