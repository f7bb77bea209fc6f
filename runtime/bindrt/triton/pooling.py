"""The last step of an ensemble: the vectors of views to one vector an item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bindrt import _core
from bindrt.errors import EngineError
from bindrt.triton.preparing import COUNTS, WEIGHTS
from bindrt.triton.requests import EMBEDDING, array_of, failed, vectors

#: The output.
POOLED = "pooled"


class TritonPythonModel:
    """Takes the mean over the views of each item, and makes it a unit vector."""

    def initialize(self, args: Mapping[str, str]) -> None: ...

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        views, counts, weights = (array_of(request, name) for name in (EMBEDDING, COUNTS, WEIGHTS))
        assert views is not None  # the configuration requires them
        assert counts is not None
        pooled = _core.pool_views(views, counts, weights)
        for row, problem in _core.vector_problems(pooled, True):
            return failed(EngineError(f"item {row}", problem, "look at the encoder's model"))
        return vectors(pooled, POOLED)
