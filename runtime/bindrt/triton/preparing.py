"""The first step of an ensemble: files of one modality to the views that its encoder takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Union

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import Error, LimitError
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities import MODALITIES, Views, for_encoder
from bindrt.preparation import Preparation
from bindrt.triton.answering import Answering
from bindrt.triton.requests import backend_utils, cancelled, failed, items_of, options_of
from bindrt.triton.settings import Settings

#: The outputs: all views one after the other, how many each item has, how much each counts.
VIEWS, COUNTS, WEIGHTS = "views", "counts", "weights"

Begun = Union["list[Future[Views]]", Error, None]


class TritonPythonModel:
    """Prepares the items of its requests in several threads, mostly without the interpreter's lock."""

    def initialize(self, args: Mapping[str, str]) -> None:
        settings = Settings.of(args)
        self._modality = settings.modality
        output = settings.config["output"][0]
        self._view = tuple(output["dims"][1:])
        self._half = output["data_type"] == "TYPE_FP16"
        self._most = settings.whole("max_views", 64)
        self._preparation = Preparation(DEFAULT_LIMITS, None)
        threads = settings.whole("threads", len(os.sched_getaffinity(0)))
        self._workers = ThreadPoolExecutor(threads, "prepare")
        self._answering = Answering(self._begin, self._answer, 2 * threads)

    def execute(self, requests: Sequence[Any]) -> None:
        self._answering.take(requests)

    def finalize(self) -> None:
        self._answering.close()
        self._workers.shutdown()

    def _begin(self, request: Any) -> Begun:
        if request.is_cancelled():
            return None
        try:
            items = items_of(request, self._modality, options_of(request))
        except Error as error:
            return error
        return [self._workers.submit(self._preparation.views, self._modality, item) for item in items]

    def _answer(self, begun: Begun) -> Any:
        if begun is None:
            return cancelled()
        if isinstance(begun, Error):
            return failed(begun)
        found: list[Views] = []
        for index, future in enumerate(begun):
            try:
                found.append(future.result())
            except Error as error:
                for other in begun[index:]:
                    other.cancel()
                return failed(error.at(f"{self._modality}[{index}]"))
        if sum(len(each.array) for each in found) > self._most:
            return failed(self._too_many(len(found)))
        return self._response(found)

    def _too_many(self, items: int) -> Error:
        return LimitError(
            f"{items} items of {self._modality}",
            f"they have more than {self._most} views, the most that the encoder takes at once",
            "send fewer in a request",
        )

    def _response(self, found: list[Views]) -> Any:
        tensor = backend_utils().Tensor
        views = np.concatenate([self._for_encoder(each.array) for each in found])
        counts = np.array([len(each.array) for each in found], np.int32)
        weights = [np.ones(len(v.array), np.float32) if v.weights is None else v.weights for v in found]
        outputs = [
            tensor(VIEWS, self._cut(views)),
            tensor(COUNTS, counts),
            tensor(WEIGHTS, np.concatenate(weights)),
        ]
        return backend_utils().InferenceResponse(output_tensors=outputs)

    def _for_encoder(self, array: Array) -> Array:
        if MODALITIES[self._modality].tokens is not None:
            return array
        views = for_encoder(array, self._view)
        return views.astype(np.float16) if self._half else views

    def _cut(self, views: Array) -> Array:
        """Token ids without the columns that no text needs, to the next of the usual lengths."""
        tokens = MODALITIES[self._modality].tokens
        if tokens is None:
            return np.ascontiguousarray(views)
        longest = int(tokens.used(views).max())
        length = next((n for n in tokens.lengths if n >= longest), views.shape[1])
        return np.ascontiguousarray(views[:, :length])
