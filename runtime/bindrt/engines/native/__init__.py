"""The engine ``native``: graphs are read and recognised here, and computed by ``csrc/native``."""

from bindrt.engines.native.engine import KIND, NativeEngine

__all__ = ["KIND", "NativeEngine"]
