"""The first step of an ensemble: files of one modality to the views that its encoder takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Union

import numpy as np

from bindrt.arrays import Array
from bindrt.cores import usable_threads
from bindrt.errors import Error, LimitError
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities import MODALITIES, Tokens, Views, for_encoder
from bindrt.preparation import Preparation
from bindrt.triton.answering import Answering
from bindrt.triton.memory import keep_freed_memory
from bindrt.triton.requests import backend_utils, cancelled, failed, items_of, options_of
from bindrt.triton.settings import Settings

#: The outputs: all views one after the other, how many each item has, how much each counts.
VIEWS, COUNTS, WEIGHTS = "views", "counts", "weights"

Begun = Union["list[Future[Views]]", Error, None]


class TritonPythonModel:
    """Prepares the items of its requests, mostly without the interpreter's lock.

    Several threads take the files of several requests. Where an instance has one thread, and for texts, whose
    work is less than handing it to a thread costs, the server's call itself prepares them.
    """

    def initialize(self, args: Mapping[str, str]) -> None:
        keep_freed_memory()
        settings = Settings.of(args)
        self._modality = settings.modality
        self._tokens = MODALITIES[self._modality].tokens
        output = settings.config["output"][0]
        self._view = tuple(output["dims"][1:])
        self._half = output["data_type"] == "TYPE_FP16"
        self._most = settings.whole("max_views", 64)
        self._preparation = Preparation(DEFAULT_LIMITS, None)
        threads = settings.whole("threads", -(-usable_threads() // settings.instances))
        self._workers: ThreadPoolExecutor | None = None
        if threads > 1 and self._tokens is None:
            self._workers = ThreadPoolExecutor(threads, "prepare")
            self._answering = Answering(self._begin, self._answer, 2 * threads)

    def execute(self, requests: Sequence[Any]) -> list[Any] | None:
        if self._workers is None:
            return [self._now(request) for request in requests]
        self._answering.take(requests)
        return None  # the answers follow

    def finalize(self) -> None:
        if self._workers is not None:
            self._answering.close()
            self._workers.shutdown()

    def _now(self, request: Any) -> Any:
        try:
            items = items_of(request, self._modality, options_of(request))
            if self._tokens is not None:
                return self._ids(items, self._tokens)
            return self._response([self._views(item, index) for index, item in enumerate(items)])
        except Exception as error:
            return failed(error)

    def _ids(self, texts: list[object], tokens: Tokens) -> Any:
        """Token ids without the columns that no text needs, to the next of the usual lengths."""
        if len(texts) > self._most:
            return failed(self._too_many(len(texts)))
        ids, used, _ = self._preparation.all_ids(self._modality, texts)
        for index in np.flatnonzero(used == 0).tolist():  # not of ASCII
            ids[index] = self._views(texts[index], index).array[0]
            used[index] = tokens.used(ids[index : index + 1])[0]
        longest = int(used.max())
        length = next((n for n in tokens.lengths if n >= longest), ids.shape[1])
        ones = np.ones(len(ids))
        return self._outputs(ids[:, :length], ones, ones)

    def _begin(self, request: Any) -> Begun:
        if request.is_cancelled():
            return None
        try:
            items = items_of(request, self._modality, options_of(request))
        except Error as error:
            return error
        assert self._workers is not None
        return [self._workers.submit(self._views, item, index) for index, item in enumerate(items)]

    def _views(self, item: object, index: int) -> Views:
        try:
            return self._preparation.views(self._modality, item)
        except Error as error:
            raise error.at(f"{self._modality}[{index}]") from None

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
                return failed(error)
        return self._response(found)

    def _too_many(self, items: int) -> Error:
        return LimitError(
            f"{items} items of {self._modality}",
            f"they have more than {self._most} views, the most that the encoder takes at once",
            "send fewer in a request",
        )

    def _response(self, found: list[Views]) -> Any:
        counts = [len(each.array) for each in found]
        if sum(counts) > self._most:
            return failed(self._too_many(len(found)))
        views = np.concatenate([self._for_encoder(each.array) for each in found])
        weights = [np.ones(len(v.array)) if v.weights is None else v.weights for v in found]
        return self._outputs(views, counts, np.concatenate(weights))

    def _outputs(self, views: Array, counts: Any, weights: Any) -> Any:
        tensor = backend_utils().Tensor
        outputs = [
            tensor(VIEWS, np.ascontiguousarray(views)),
            tensor(COUNTS, np.asarray(counts, np.int32)),
            tensor(WEIGHTS, np.asarray(weights, np.float32)),
        ]
        return backend_utils().InferenceResponse(output_tensors=outputs)

    def _for_encoder(self, array: Array) -> Array:
        views = for_encoder(array, self._view)
        return views.astype(np.float16) if self._half else views
