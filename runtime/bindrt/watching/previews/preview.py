"""What all previews have in common: the newest is kept, and made into bytes when somebody looks."""

from __future__ import annotations

import threading
from typing import Any

from bindrt.limits import Limits


class Preview:
    """The newest that a sensor gave. One thread gives, any number of threads look.

    Attributes:
        kind: what it shows: ``picture``, ``sound`` or ``motion``.
        limits: bounds on what an item may decode to.
        version: how many times there was something new to look at.
    """

    kind = ""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.version = 0
        self._made = 0, ("", b"")
        self._lock = threading.Lock()  # of what was given
        self._making = threading.Lock()  # of those who look: it is made once for all of them

    def take(self, item: Any) -> bool:
        """Keeps what a sensor gave; whether there is something new to look at.

        Raises:
            InputError: it is not what this shows.
        """
        with self._lock:
            new = self.keep(item)
            self.version += new
        return new

    def render(self) -> tuple[str, bytes] | None:
        """The newest as bytes for a browser, and their type; None if there is nothing yet.

        Raises:
            Error: it cannot be shown.
        """
        with self._making:
            with self._lock:
                version, kept = self.version, self.kept()
            if version == 0:
                return None
            if self._made[0] != version:
                self._made = version, self.draw(kept)
            return self._made[1]

    def keep(self, item: Any) -> bool:
        """Keeps a copy of an item; whether it is new to look at. The lock is held."""
        raise NotImplementedError

    def kept(self) -> Any:
        """What is to be drawn, in a form that later items do not change. The lock is held."""
        raise NotImplementedError

    def draw(self, kept: Any) -> tuple[str, bytes]:
        """The type and the bytes of what was kept. No lock of those who give is held."""
        raise NotImplementedError
