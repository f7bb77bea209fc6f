"""Files are decoded in processes that may be killed: a decoder that hangs or crashes costs one item."""

from __future__ import annotations

from bindrt.isolation.pool import Isolated

__all__ = ["Isolated"]
