"""Engines of a bundle beside ONNX Runtime: built from the bundle's ONNX graphs, found again by a later run.

Nothing here imports torch: a plan is built in a process of its own, which must stay small.
"""

from __future__ import annotations

from bindrt_export.engines.build import Built, EngineRequest, Graph, build_engines

__all__ = ["Built", "EngineRequest", "Graph", "build_engines"]
