"""What a request is answered with when it fails, whichever protocol it speaks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from bindrt.errors import (
    ClosedError,
    DeadlineExceeded,
    Error,
    InputError,
    LimitError,
    MemoryBudgetExceeded,
    OptionError,
    Overloaded,
)

LOG = logging.getLogger(__name__)

#: Seconds after which a client may try again.
RETRY = {"retry-after": "1"}

#: The status of each error; the first class that fits counts.
_STATUS: tuple[tuple[type[Error], int], ...] = (
    (LimitError, 413),
    (InputError, 400),
    (OptionError, 400),
    (Overloaded, 429),
    (DeadlineExceeded, 504),
    (ClosedError, 503),
    (MemoryBudgetExceeded, 503),
)


@dataclass
class Fault(Exception):  # noqa: N818 - what a client is told
    """A request that fails.

    Attributes:
        status: the HTTP status.
        text: what is wrong and what would be right, for the client.
        code: the same as one word that programs can compare; for an error of bindrt its class.
        headers: further headers of the answer.
        parts: the ``place`` in the request, where that is known; for an error of bindrt also ``item``,
            ``problem`` and ``remedy``.
    """

    status: int
    text: str
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)


def fault_of(error: BaseException) -> Fault:
    """What an error is to a client. Of a defect of ours it learns nothing but that there is one."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, Error):
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
        if status == 500:
            LOG.error("a request failed: %s", error)
        return Fault(
            status,
            str(error),
            type(error).__name__,
            RETRY if status in (429, 503) else {},
            {"place": error.place, "item": error.item, "problem": error.problem, "remedy": error.remedy},
        )
    LOG.error("a request failed for a defect of the server", exc_info=error)
    return Fault(500, "the server failed on this request; its log says more", "InternalError")


class Message(TypedDict):
    message: str
    code: str


class Told(Message, total=False):
    """What is wrong: ``message``, ``code``; where it has them, the parts of the message."""

    place: str
    item: str
    problem: str
    remedy: str


def told(fault: Fault) -> dict[str, str]:
    """A fault as bindrt's own JSON has it: ``message``, ``code`` and the parts of the message."""
    return {"message": fault.text, "code": fault.code, **fault.parts}
