"""Where tensors start in a weights file."""

from __future__ import annotations

#: Large tensors start on a page, so that they can be mapped; small ones on a cache line.
PAGE, LINE = 4096, 64


def padding(position: int, size: int) -> bytes:
    """Zeros from ``position`` to where a tensor of ``size`` bytes may start."""
    return bytes(-position % (PAGE if size >= PAGE else LINE))
