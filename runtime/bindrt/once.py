"""What a process has one of."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class OncePerProcess(Generic[Made]):
    """Makes what it is asked for at the first call with these arguments, and gives the same one from then on.

    Where several threads ask at once, one may be made in vain; all get the same. A forked child has its own.
    It holds no lock, since a child that is forked meanwhile would find it held for ever.

    >>> numbers = OncePerProcess(lambda name: object())
    >>> numbers("a") is numbers("a"), numbers("a") is numbers("b")
    (True, False)
    """

    def __init__(self, make: Callable[..., Made]) -> None:
        self._make = make
        self._made: dict[tuple[Hashable, ...], Made] = {}

    def __call__(self, *asked: Hashable) -> Made:
        key = (os.getpid(), *asked)
        if (found := self._made.get(key)) is None:
            found = self._made.setdefault(key, self._make(*asked))
        return found
