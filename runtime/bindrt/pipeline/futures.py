"""What ``Model.submit`` returns, and how results come into it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt._core import ForkedError, Outcome, PipelineRequest
from bindrt.batching import vector_error
from bindrt.ending import engine_gate
from bindrt.errors import ClosedError, DeadlineExceeded, EngineError, Error, ForkError
from bindrt.notes import Notes

Vector = npt.NDArray[np.float32]
Delivered = tuple["EmbeddingFuture", Outcome, Any, "Vector | None"]

PATIENCE = 0.1  # seconds between looks at signals, while waiting


class EmbeddingFuture(Future[Vector]):
    """A ``concurrent.futures.Future`` of float32 ``[D]``.

    ``cancel()`` works until the engine has the request: its place in the queue or batch becomes free.

    Attributes:
        modality: the item's modality.
        notes: what preprocessing reports about the item; there with the result, if not before.
    """

    # What Future.__init__ sets. A condition costs as much as all the rest, and most futures never need one:
    # it is made when something wants it. While `_made` is None, only settle() in
    # csrc/python/pipeline/future.cpp changes the state; from then on, whoever holds the condition.
    _made: threading.Condition | None = None
    _state = "PENDING"
    _result = None
    _exception: BaseException | None = None
    _waiters: list[Any]
    _done_callbacks: list[Any]
    #: Internal: the pipeline's own request, until the result is there. It keeps the pipeline.
    request: PipelineRequest | None = None
    notes: Notes = MappingProxyType({})

    def __init__(self, modality: str) -> None:
        self.modality = modality

    @property
    def _condition(self) -> threading.Condition:  # type: ignore[override]
        if self._made is None:
            self.__dict__.setdefault("_waiters", [])
            self.__dict__.setdefault("_done_callbacks", [])
            self.__dict__.setdefault("_made", threading.Condition())  # the first of several threads
        assert self._made is not None
        return self._made

    def done(self) -> bool:
        return self._state not in ("PENDING", "RUNNING")

    def result(self, timeout: float | None = None) -> Vector:
        if self._state != "FINISHED":
            timeout = self._wait(timeout)
        if self._state == "FINISHED" and self._exception is None:
            return self._result  # type: ignore[return-value]
        if isinstance(self._exception, ClosedError):
            engine_gate.require_running()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        return super().exception(self._wait(timeout))

    def in_engine(self) -> bool:
        """The engine has the request, or had it."""
        request = self.request
        with _fork_errors(self.modality):
            return self.done() or (request is not None and request.is_running())

    def cancel(self) -> bool:
        if self._state == "FINISHED":
            return False
        cancelled = super().cancel()
        request = self.request
        if cancelled and request is not None:
            with _fork_errors(self.modality):
                request.cancel()
        return cancelled

    def _wait(self, timeout: float | None) -> float | None:
        """Wait without the interpreter until the request is delivered or cancelled; what is left of the
        timeout. Nothing is waited for if somebody else completes the future."""
        request = self.request
        if request is None or self.done():
            return timeout
        with _fork_errors(self.modality):
            if timeout is None:
                while not request.wait(PATIENCE):
                    pass
                return None
            end = time.monotonic() + timeout
            left = timeout
            while left > 0 and not request.wait(min(left, PATIENCE)):
                left = end - time.monotonic()
            return max(left, 0.0)


@contextmanager
def _fork_errors(modality: str) -> Iterator[None]:
    try:
        yield
    except ForkedError:
        raise ForkError(
            modality, "the request was made before this process forked", "wait for it in the parent"
        ) from None


def deadline_exceeded(modality: str) -> DeadlineExceeded:
    return DeadlineExceeded(
        modality, "the deadline passed before the engine had it", "allow more time, or send less"
    )


class Deliverer:
    """Called by the core after each batch, with what is not a plain result or goes to a future that somebody
    looks after; knows who waits for room in a queue."""

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
            future.request = None  # a kept future must not keep the pipeline's memory
            with suppress(InvalidStateError, RuntimeError):  # somebody else has set it: not ours any more
                if not future.set_running_or_notify_cancel():
                    pass
                elif outcome == Outcome.DONE:
                    future.set_result(vector)  # type: ignore[arg-type]
                else:
                    future.set_exception(exception_of(self._name, future.modality, outcome, error))
        if self._waiting:
            with self._lock:
                waiting, self._waiting = self._waiting, []
            for wake in waiting:
                wake()


def exception_of(name: str, modality: str, outcome: Outcome, error: object) -> BaseException:
    """Why a request has no vector.

    Args:
        name: the model's, for errors.
        error: what the core says: an exception, or what is wrong as a str.
    """
    if outcome == Outcome.EXPIRED:
        return deadline_exceeded(modality)
    if outcome == Outcome.CLOSED:
        return ClosedError(name, "the model was closed with this request in work", "load it again")
    if outcome == Outcome.CANCELLED:
        return CancelledError()
    if isinstance(error, MemoryError) and isinstance(error.__cause__, Error):
        return error.__cause__
    if isinstance(error, BaseException):
        return error
    problem = str(error)
    if problem.startswith("its vector"):
        return vector_error(modality, problem)
    return EngineError(modality, problem)
