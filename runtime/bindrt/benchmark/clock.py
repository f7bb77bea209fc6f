"""The clock that scenarios use, so that tests can replace it."""

from __future__ import annotations

import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import Any, Protocol


class Clock(Protocol):
    """Seconds from any origin. It waits until a moment, or for a result but no longer than until a moment."""

    def now(self) -> float: ...

    def wait_until(self, moment: float) -> None: ...

    def wait_for(self, future: Future[Any], moment: float) -> None: ...


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.perf_counter()

    def wait_until(self, moment: float) -> None:
        if (left := moment - time.perf_counter()) > 0:
            time.sleep(left)

    def wait_for(self, future: Future[Any], moment: float) -> None:
        with suppress(FutureTimeout):
            future.exception(timeout=max(moment - time.perf_counter(), 0))
