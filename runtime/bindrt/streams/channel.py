"""Results on their way to whoever reads them: a loop, an async loop, or both."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio

Result = TypeVar("Result")

_PATIENCE = 0.1  # seconds between looks at signals


class Channel(Generic[Result]):
    """A bounded queue that ends. Each result is read once.

    Args:
        most: results that may wait; a further one pushes the oldest out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Result] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, result: Result) -> int:
        """Add a result; how many were pushed out."""
        with self._changed:
            self._waiting.append(result)
            lost = len(self._waiting) > self._most
            if lost:
                self._waiting.popleft()
            self._wake()
        return int(lost)

    def end(self) -> None:
        """No further result comes. Those that wait can still be read."""
        with self._changed:
            self._ended = True
            self._wake()

    def get(self) -> Result | None:
        """The next result, waited for; None at the end."""
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait(_PATIENCE)
            return self._waiting.popleft() if self._waiting else None

    async def aget(self) -> Result | None:
        """As :meth:`get`, for asyncio."""
        import asyncio  # when asked: it takes long to import

        while True:
            with self._changed:
                if self._waiting:
                    return self._waiting.popleft()
                if self._ended:
                    return None
                loop = asyncio.get_running_loop()
                sleeper: asyncio.Future[None] = loop.create_future()
                self._sleepers.append((loop, sleeper))
            await sleeper

    def _wake(self) -> None:
        self._changed.notify_all()
        sleepers, self._sleepers = self._sleepers, []
        for loop, sleeper in sleepers:
            with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
                loop.call_soon_threadsafe(_set, sleeper)


def _set(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
