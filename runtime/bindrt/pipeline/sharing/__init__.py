"""Equal items computed once: while they are in flight, and later from a cache. Options of the pipeline."""

from bindrt.pipeline.sharing.cache import ResultCache
from bindrt.pipeline.sharing.desk import Desk
from bindrt.pipeline.sharing.futures import SharedFuture
from bindrt.pipeline.sharing.identity import Identity, identify

__all__ = ["Desk", "Identity", "ResultCache", "SharedFuture", "identify"]
