"""Whether somebody still wants what a thread prepares; decoders that may take long ask now and then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bindrt.errors import ClosedError

_thread = threading.local()


@contextmanager
def wanted_until(stopped: threading.Event) -> Iterator[None]:
    """While the block runs, :func:`require_wanted` raises in this thread once ``stopped`` is set."""
    _thread.stopped = stopped
    try:
        yield
    finally:
        _thread.stopped = None


def require_wanted() -> None:
    """Raises ClosedError when nobody waits for what this thread prepares: after Ctrl-C, or at the end."""
    stopped = getattr(_thread, "stopped", None)
    if stopped is not None and stopped.is_set():
        raise ClosedError("", "nobody waits for it any more")
