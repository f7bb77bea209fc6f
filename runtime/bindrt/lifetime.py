"""When a model may be used: until it is closed, and in the process that loaded it."""

from __future__ import annotations

import os

from bindrt.ending import engine_gate
from bindrt.errors import ClosedError, ForkError


class _Process:
    """This process. To ask the system takes longer than all else that :class:`Lifetime` looks at."""

    def __init__(self) -> None:
        self.number = os.getpid()


_process = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.__init__)  # type: ignore[misc]


class Lifetime:
    """Shared by a model and all that belongs to it.

    Args:
        name: the model's, for messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False
        self._process = _process.number

    def close(self) -> None:
        self.closed = True

    def here(self) -> bool:
        """Whether this is the process that loaded the model. Its threads do not come along in a fork."""
        return self._process == _process.number

    def require_here(self) -> None:
        """Raises ForkError in another process."""
        if not self.here():
            raise ForkError(
                self.name, "the model was loaded before this process forked", "load it in the child"
            )

    def require(self) -> None:
        """Raises ClosedError or ForkError where the model may not be used."""
        if engine_gate.is_ending or self.closed or self._process != _process.number:  # no call: push is quick
            self._refuse()

    def _refuse(self) -> None:
        engine_gate.require_running()
        if self.closed:
            raise ClosedError(self.name, "the model is closed", "load it again")
        self.require_here()
