"""``RequestOptions``: what a submitter asks for a request, checked once, where it is made."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from bindrt.errors import OptionError

_callers = itertools.count(1 << 62)  # above the identities of threads


class RequestOptions(NamedTuple):
    """How a request is treated on its way through the pipeline; made by :func:`request_options`.

    A named tuple, since a frozen dataclass takes twice as long to make: a fifth of the time of ``submit``.

    Attributes:
        priority: requests of a higher priority go first; -1000 to 1000.
        deadline: seconds from now. A request that the engine does not have by then is dropped; None: never.
        normalize: True: the vector is made a unit vector.
        caller: requests of different callers take turns; None: the caller is the thread that submits.
    """

    priority: int = 0
    deadline: float | None = None
    normalize: bool = True
    caller: int | None = None


_USUAL = RequestOptions()


def request_options(
    priority: int, deadline: float | None, normalize: bool, caller: int | None = None
) -> RequestOptions:
    """Checked options. The usual ones are one object: making another takes a tenth of the time of ``submit``.

    Raises:
        OptionError: the priority or the deadline is out of range, or not a number.
    """
    if priority is _USUAL.priority and deadline is None and normalize and caller is None:
        return _USUAL
    if isinstance(priority, bool) or not isinstance(priority, int) or not -1000 <= priority <= 1000:
        raise OptionError(f"priority={priority!r}", "not a priority", "give -1000 to 1000")
    seconds = isinstance(deadline, (int, float)) and not isinstance(deadline, bool)
    if deadline is not None and not (seconds and abs(deadline) < 1e9):
        raise OptionError(f"deadline={deadline!r}", "not a time", "give seconds from now, or None")
    return RequestOptions(priority, deadline, normalize, caller)


def new_caller() -> int:
    """A caller that is not a thread: a call of ``aembed`` or ``stream`` takes turns with all others."""
    return next(_callers)
