"""Engines: each runs one encoder on one device. ``ENGINES`` lists those that bindrt brings.

They know nothing of bundles: ``bindrt.selection`` takes a bundle's files and opens an engine on them.
"""

from bindrt.engines.kind import EngineKind
from bindrt.engines.protocols import Engine, EnginePlace, GpuEngine
from bindrt.engines.registry import ENGINES
from bindrt.engines.spec import EngineSettings, EngineSpec

__all__ = ["ENGINES", "Engine", "EngineKind", "EnginePlace", "EngineSettings", "EngineSpec", "GpuEngine"]
