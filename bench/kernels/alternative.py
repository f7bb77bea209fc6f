"""One way to do a piece of work, as a worker of the bench offers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

# `ours`; what the original uses; the best library for it; a bound that no implementation beats.
Role = Literal["ours", "original", "library", "limit"]
Call = Callable[[], Any]


@dataclass(frozen=True)
class Alternative:
    """One way to do ``op``.

    Attributes:
        make: takes the case's inputs and ``threads``, prepares what a user prepares once, and returns
            the call that is timed. The call returns the model's input, so that results can be compared.
        same_work: whether its result must equal ours; if not, ``note`` says what differs.
    """

    op: str
    name: str
    role: Role
    make: Callable[..., Call]
    same_work: bool = True
    note: str = ""


REGISTRY: list[Alternative] = []


def alternative(
    op: str, name: str, role: Role = "library", same_work: bool = True, note: str = ""
) -> Callable[[Callable[..., Call]], Callable[..., Call]]:
    """Registers the decorated function as ``Alternative.make``."""

    def register(make: Callable[..., Call]) -> Callable[..., Call]:
        REGISTRY.append(Alternative(op, name, role, make, same_work, note))
        return make

    return register
