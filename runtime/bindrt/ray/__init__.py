"""Ray: :class:`Embed` for ``map_batches``; ``python -m bindrt.ray`` is ``bind-embed --cluster ray``."""

from __future__ import annotations

from bindrt.integrations.ray import Embed

__all__ = ["Embed"]
