"""Counts and times of a model, by modality; what ``Model.stats`` returns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any


@dataclass
class Counters:
    """Of one modality: items embedded, items that failed, views, batches, seconds by stage."""

    items: int = 0
    errors: int = 0
    views: int = 0
    batches: int = 0
    prepare_seconds: float = 0.0
    engine_seconds: float = 0.0
    pool_seconds: float = 0.0


class Statistics:
    """Thread-safe counters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[str, Counters] = {}

    def add(self, modality: str, **amounts: float) -> None:
        with self._lock:
            counters = self._counters.setdefault(modality, Counters())
            for name, amount in amounts.items():
                setattr(counters, name, getattr(counters, name) + amount)

    @contextmanager
    def timed(self, modality: str, stage: str) -> Iterator[None]:
        """Add the block's duration to ``<stage>_seconds``, also if it raises."""
        start = perf_counter()
        try:
            yield
        finally:
            self.add(modality, **{f"{stage}_seconds": perf_counter() - start})

    def snapshot(self) -> dict[str, dict[str, float]]:
        with self._lock:
            return {name: asdict(counters) for name, counters in self._counters.items()}


def with_pipeline(
    counted: dict[str, dict[str, float]], pipelines: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The counters with those of the pipeline added, and its own below ``pipeline``."""
    merged: dict[str, dict[str, Any]] = {name: dict(counters) for name, counters in counted.items()}
    for name, found in pipelines.items():
        if not found["submitted"]:
            continue
        total = merged.setdefault(name, asdict(Counters()))
        total["items"] += found["done"]
        total["errors"] += found["failed"] + found["expired"]
        total["views"] += found["rows"]
        total["batches"] += found["batches"]
        for stage, mine in (("prepare", "prepare"), ("engine", "engine"), ("finish", "pool")):
            total[f"{mine}_seconds"] += found["seconds"][stage]["sum"]
        total["pipeline"] = found
    return merged
