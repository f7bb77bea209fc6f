"""Whether a model's pipelines go on: what they have in work must become less, or their counts must grow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from bindrt.errors import Error
from bindrt.model import Model

#: Seconds between two looks.
INTERVAL = 0.2
#: Seconds without progress after which an encoder counts as stopped, where its engine is fast.
PATIENCE = 0.7
#: An engine may take so many times as long as its longest call so far.
_TIMES = 4
_COUNTS = ("submitted", "done", "failed", "cancelled", "expired", "batches", "engine_calls")


class Pulse:
    """Watches the pipelines of a model.

    Attributes:
        problem: why it counts as stopped; empty if it does not.

    Args:
        clock: seconds.
    """

    def __init__(self, model: Model, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._clock = clock
        self._seen: dict[str, tuple[tuple[int, ...], float]] = {}
        self.problem = ""

    def look(self) -> None:
        """Looks at all pipelines, and decides."""
        try:
            stats = self._model.pipelines.stats()
        except (Error, RuntimeError) as error:  # a fork; a pipeline that is being closed
            self.problem = str(error)
            return
        stopped = [modality for modality, counts in stats.items() if self._is_stopped(modality, counts)]
        self.problem = f"the engine of {', '.join(stopped)} does not go on" if stopped else ""

    def _is_stopped(self, modality: str, counts: Mapping[str, Any]) -> bool:
        """Whether it has rows in work, nothing is being decoded, and nothing has changed for too long."""
        now = self._clock()
        state = tuple(int(counts[name]) for name in _COUNTS)
        before = self._seen.get(modality)
        if before is None or before[0] != state or counts["preparing"] or not counts["rows_in_flight"]:
            self._seen[modality] = state, now
            return False
        patience = max(PATIENCE, _TIMES * float(counts["seconds"]["engine"]["max"]))
        return now - before[1] > patience
