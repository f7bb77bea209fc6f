"""The ways to do one piece of work, as a process of the bench offers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

# `ours`; what the original uses; the best library for it; a bound that no implementation beats.
Role = Literal["ours", "original", "library", "limit"]
Run = Callable[[], Any]


@dataclass(frozen=True)
class Alternative:
    """One way to do ``op``.

    Attributes:
        make: takes the case's inputs and ``threads``, prepares what a user prepares once, and returns
            the call that is timed. The call returns the model's input, so that results can be compared.
        same_work: whether its result must be ours; ``note`` says what is different if not.
    """

    op: str
    name: str
    role: Role
    make: Callable[..., Run]
    same_work: bool = True
    note: str = ""


REGISTRY: list[Alternative] = []


def alternative(
    op: str, name: str, role: Role = "library", same_work: bool = True, note: str = ""
) -> Callable[[Callable[..., Run]], Callable[..., Run]]:
    """Registers the decorated function as ``Alternative.make``."""

    def register(make: Callable[..., Run]) -> Callable[..., Run]:
        REGISTRY.append(Alternative(op, name, role, make, same_work, note))
        return make

    return register
