"""Answers that are sent while the next requests are begun."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from bindrt.triton.requests import backend_utils, failed

Begun = TypeVar("Begun")


class Answering(Generic[Begun]):
    """Sends the answers of batches of requests from threads of its own.

    So a model takes the next batch while the last is computed. Past ``most`` batches it takes none: then
    requests wait with the server, which knows their priorities, batches them, and bounds its queue.

    Args:
        begin: begins the work of a request.
        answer: waits for that work; the response.
        most: batches whose answers are not all sent.
    """

    def __init__(self, begin: Callable[[Any], Begun], answer: Callable[[Begun], Any], most: int) -> None:
        self._begin = begin
        self._answer = answer
        self._room = threading.BoundedSemaphore(most)
        self._threads = ThreadPoolExecutor(most, "answer")

    def take(self, requests: Sequence[Any]) -> None:
        """Begin the work of all requests of a batch; waits while there is no room for it."""
        self._room.acquire()
        try:
            begun = [(request.get_response_sender(), self._begin(request)) for request in requests]
            self._threads.submit(self._send, begun)
        except BaseException:  # the server answers all of them with it
            self._room.release()
            raise

    def close(self) -> None:
        """Send what is not yet sent."""
        self._threads.shutdown()

    def _send(self, begun: list[tuple[Any, Begun]]) -> None:
        final = backend_utils().TRITONSERVER_RESPONSE_COMPLETE_FINAL
        try:
            for sender, work in begun:
                sender.send(self._response(work), flags=final)
        finally:
            self._room.release()

    def _response(self, work: Begun) -> Any:
        try:
            return self._answer(work)
        except Exception as error:  # each request must be answered, or its client waits for ever
            return failed(error)
