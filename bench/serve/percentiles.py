"""Latencies as two numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """``p50`` and ``p99`` in milliseconds."""
    p50, p99 = np.percentile(np.array(seconds) * 1e3, (50, 99))
    return {"p50": float(p50), "p99": float(p99)}
