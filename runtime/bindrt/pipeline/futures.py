"""What ``Model.submit`` returns, and how results come into it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bindrt.errors import DeadlineExceeded, EngineError, Error

if TYPE_CHECKING:
    from bindrt import _core

Vector = npt.NDArray[np.float32]
Delivered = tuple["EmbeddingFuture", int, Any, "Vector | None"]

DONE, FAILED, CANCELLED, EXPIRED, CLOSED = range(5)  # csrc/pipeline/request.h: Outcome


class EmbeddingFuture(Future[Vector]):
    """A ``concurrent.futures.Future`` of float32 ``[D]``.

    ``cancel()`` works until the engine has the request: its place in the queue or batch becomes free.

    Attributes:
        modality: of the item.
        notes: what preprocessing reports of the item, once it is prepared.
    """

    def __init__(self, modality: str) -> None:
        super().__init__()
        self.modality = modality
        self.notes: Mapping[str, float | int | str] = {}
        self._core: _core.Pipeline | None = None  # alive until the result is there
        self._request: _core.PipelineRequest | None = None

    def accepted(self, core: _core.Pipeline, request: _core.PipelineRequest) -> None:
        """The core has it and will deliver it, or has already."""
        self._core, self._request = core, request
        if self.done():
            self.forget()

    def forget(self) -> None:
        """Let the core go: there is nothing left to cancel, and a kept future must not keep its memory."""
        self._core = self._request = None

    def cancel(self) -> bool:
        cancelled = super().cancel()
        core, request = self._core, self._request
        if cancelled and core is not None and request is not None:
            core.cancel(request)
        return cancelled


class Deliverer:
    """Called by the core with results, a batch at a time; knows who waits for room in a queue."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] = []

    def call_on_progress(self, wake: Callable[[], None]) -> None:
        """Call once after the next results: by then a queue may have room."""
        with self._lock:
            self._waiting.append(wake)

    def __call__(self, results: list[Delivered]) -> None:
        for future, outcome, error, vector in results:
            with suppress(InvalidStateError, RuntimeError):  # somebody else has set it: not ours any more
                if not future.set_running_or_notify_cancel():
                    pass
                elif outcome == DONE:
                    future.set_result(vector)  # type: ignore[arg-type]
                else:
                    future.set_exception(self._exception(future.modality, outcome, error))
            future.forget()
        if self._waiting:
            with self._lock:
                waiting, self._waiting = self._waiting, []
            for wake in waiting:
                wake()

    def _exception(self, modality: str, outcome: int, error: object) -> BaseException:
        if outcome == EXPIRED:
            return DeadlineExceeded(
                modality, "the deadline passed before the engine had it", "allow more time, or send less"
            )
        if outcome == CLOSED:
            return Error(self._name, "the model was closed with this request in work", "load it again")
        if outcome == CANCELLED:
            return CancelledError()
        if isinstance(error, MemoryError) and isinstance(error.__cause__, Error):
            return error.__cause__
        return error if isinstance(error, BaseException) else EngineError(modality, str(error))
