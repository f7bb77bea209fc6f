"""An encoder of an ensemble, for servers without a backend for its files: views in, their vectors out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bindrt.errors import EngineError
from bindrt.triton.memory import keep_freed_memory
from bindrt.triton.requests import EMBEDDING, array_of, failed, vectors
from bindrt.triton.settings import Settings

#: The input, as the bundle's graphs name it.
INPUT = "input"


class TritonPythonModel:
    """Runs the engine that ``bindrt.load`` chooses, on the inputs of all requests of a batch together."""

    def initialize(self, args: Mapping[str, str]) -> None:
        keep_freed_memory()
        settings = Settings.of(args)
        self._model = settings.load()
        self._engine = self._model.engine(settings.modality)  # type: ignore[arg-type]

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        inputs = [array_of(request, INPUT) for request in requests]
        given = [array for array in inputs if array is not None]  # the configuration requires it
        batch = np.ascontiguousarray(given[0] if len(given) == 1 else np.concatenate(given))
        out = np.empty((len(batch), self._model.embed_dim), np.float32)
        most = self._engine.max_batch
        try:
            for first in range(0, len(batch), most):
                self._engine.run(batch[first : first + most], out[first : first + most])
        except EngineError as error:
            return [failed(error) for _ in requests]
        ends = np.cumsum([len(array) for array in given])
        return [vectors(rows, EMBEDDING) for rows in np.split(out, ends[:-1])]

    def finalize(self) -> None:
        self._model.close()
