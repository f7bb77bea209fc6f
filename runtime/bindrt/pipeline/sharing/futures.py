"""A future whose vector may come with another's, or from the cache."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import InvalidStateError
from contextlib import suppress

import numpy as np

from bindrt.notes import Notes
from bindrt.pipeline.futures import EmbeddingFuture, Vector
from bindrt.pipeline.sharing.identity import Identity


class SharedFuture(EmbeddingFuture):
    """An ``EmbeddingFuture`` whose ``cancel`` does not touch others that wait for the same vector."""

    def __init__(self, modality: str) -> None:
        super().__init__(modality)
        self.identity: Identity | None = None
        self.identified = False
        self.leave: Callable[[SharedFuture], None] | None = None  # set while it waits with others

    def cancel(self) -> bool:
        cancelled = super().cancel()
        leave = self.leave
        if cancelled and leave is not None:
            leave(self)
        return cancelled

    def settle(self, vector: Vector | None, notes: Notes, error: BaseException | None) -> None:
        """End it; called by the one who took it from the deduplicator."""
        self.leave = None
        with suppress(InvalidStateError, RuntimeError):  # somebody else has set it: not ours any more
            if not self.set_running_or_notify_cancel():
                return
            self.notes = notes
            if error is not None:
                self.set_exception(error)
            else:
                self.set_result(np.array(vector, np.float32))
