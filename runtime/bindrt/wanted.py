"""Whether somebody still wants what a thread prepares; decoders that may take long ask now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bindrt.errors import ClosedError

_thread = threading.local()


@contextmanager
def wanted_while(is_wanted: Callable[[], bool]) -> Iterator[None]:
    """While the block runs, :func:`require_wanted` raises in this thread once ``is_wanted`` says no."""
    _thread.is_wanted = is_wanted
    try:
        yield
    finally:
        _thread.is_wanted = None


def require_wanted() -> None:
    """Raises ClosedError when nobody waits for what this thread prepares: after Ctrl-C, or at the end."""
    is_wanted = getattr(_thread, "is_wanted", None)
    if is_wanted is not None and not is_wanted():
        raise ClosedError("", "nobody waits for it any more")
