"""One process that is measured: ``python -m bench.cores.worker``. It answers requests in JSON lines."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from time import perf_counter
from typing import Any

from bench.cores import lock, ways
from bench.cores.items import CASES, items
from bindrt.benchmark.json_process import open_replies


class Worker:
    """Holds the items of the current case, and a model with an engine that costs nothing."""

    def __init__(self) -> None:
        self._model: Any = None

    def open(self, case: str, sources: dict[str, list[str]]) -> dict[str, Any]:
        self.close()
        self.modality, self.given = CASES[case].modality, items(case, sources)
        self.together = CASES[case].together
        self.prepare(1, 0.1)
        return {}

    def prepare(self, threads: int, seconds: float) -> dict[str, Any]:
        return {"rate": ways.prepared_a_second(self.modality, self.given, threads, seconds, self.together)}

    def lock_of_preparing(self, seconds: float) -> dict[str, Any]:
        return self._held(ways.preparing(self.modality, self.given, self.together), seconds)

    def lock_of_submitting(self, seconds: float) -> dict[str, Any]:
        submitting = ways.submitting(self._opened(), self.modality, self.given, self.together)
        return self._held(submitting, seconds)

    def lists(self, seconds: float) -> dict[str, Any]:
        """Items a second of ``submit`` and of ``embed``, in turns, for lists that take about so long."""
        model, given = self._opened(), ways.repeated(self.given, 16)
        found: dict[str, list[float]] = {"submit": [], "embed": []}
        calls = {"submit": ways.submit_all, "embed": ways.embed_all}
        for turn in range(6):
            for name, call in calls.items():
                begin = perf_counter()
                call(model, self.modality, given)
                taken = perf_counter() - begin
                if turn > 1:
                    found[name].append(len(given) / taken)
            if turn < 2:  # how many items fill the time
                given = ways.repeated(self.given, max(16, int(seconds / 8 * len(given) / taken)))
        return found

    def close(self) -> dict[str, Any]:
        if self._model is not None:
            self._model.close()
        self._model = None
        return {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        answers = (self.open, self.prepare, self.lock_of_preparing, self.lock_of_submitting, self.lists)
        return {each.__name__: each for each in answers}[request.pop("do")](**request)

    def _opened(self) -> Any:
        if self._model is None:
            self._model = ways.free_model(self.modality)
            ways.submit_all(self._model, self.modality, ways.repeated(self.given, 16))
        return self._model

    def _held(self, work: Any, seconds: float) -> dict[str, Any]:
        return asdict(lock.held(work, seconds)) if lock.has_lock() else {}


def main() -> int:
    send = open_replies()
    worker = Worker()
    for line in sys.stdin:
        send(worker.answer(json.loads(line)))
    worker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
