"""A model of the repository that does everything: files in, vectors out, one modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy as np

from bindrt.errors import Error
from bindrt.modalities import MODALITIES
from bindrt.pipeline import EmbeddingFuture
from bindrt.triton.answering import Answering
from bindrt.triton.memory import keep_freed_memory
from bindrt.triton.requests import cancelled, failed, items_of, options_of, vectors
from bindrt.triton.settings import Settings

#: Batches that are in work at the same time; the parameter ``batches`` says another number.
BATCHES = 3
#: A request in work: a future for each of its items, or what is answered at once.
Begun = Union[list[EmbeddingFuture], Error, None]


class TritonPythonModel:
    """Embeds by :meth:`bindrt.Model.submit`, so all requests of a batch share the pipeline's batches."""

    def initialize(self, args: Mapping[str, str]) -> None:
        keep_freed_memory()
        settings = Settings.of(args)
        self._modality = settings.modality
        self._is_long = MODALITIES[self._modality].tokens is None
        self._model = settings.load()
        self._answering = Answering(self._begin, self._answer, settings.whole("batches", BATCHES))

    def execute(self, requests: Sequence[Any]) -> None:
        """Submit the items of all requests of a batch; their answers follow."""
        self._answering.take(requests)

    def finalize(self) -> None:
        self._answering.close()
        self._model.close()

    def _begin(self, request: Any) -> Begun:
        """Submit the items of a request; its error, or None where its client is gone.

        Its own timeout is a deadline from now on: the server has held it to the same one while it waited
        there, and has ordered requests by their priorities, which a model is not told.
        """
        if self._is_long and request.is_cancelled():  # to ask the server takes longer than a text
            return None
        try:
            options = options_of(request)
            normalize = options.pop("normalize", True)
            items = items_of(request, self._modality, options)
            more = {"normalize": normalize, "deadline": min(request.timeout() / 1e6, 1e8) or None}
            return [self._model.submit(self._modality, item, **more) for item in items]  # type: ignore[call-overload]
        except Error as error:
            return error

    def _answer(self, begun: Begun) -> Any:
        if begun is None:
            return cancelled()
        if isinstance(begun, Error):
            return failed(begun)
        rows = np.empty((len(begun), self._model.embed_dim), np.float32)
        for index, future in enumerate(begun):
            try:
                rows[index] = future.result()
            except Error as error:
                for other in begun[index:]:
                    other.cancel()
                return failed(error.at(f"{self._modality}[{index}]"))
        return vectors(rows)
