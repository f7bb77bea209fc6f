"""Which futures wait for which vector. A *group* is all futures that wait for the same vector; an *attempt*
is a request in the pipeline that computes it. A group has one attempt, or two while a more urgent one
overtakes the first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

import numpy as np

from bindrt.pipeline.futures import EmbeddingFuture, deadline_exceeded
from bindrt.pipeline.sharing.cache import Result, ResultCache
from bindrt.pipeline.sharing.clock import Clock
from bindrt.pipeline.sharing.futures import SharedFuture
from bindrt.pipeline.sharing.identity import identify
from bindrt.statistics import SHARING, Counts

#: Hands an item to the pipeline; False: the queue is full.
Submit = Callable[[EmbeddingFuture, object], bool]


@dataclass(eq=False)
class _Group:
    key: bytes
    modality: str
    priority: int
    members: dict[SharedFuture, None] = field(default_factory=dict)  # an ordered set
    attempts: list[EmbeddingFuture] = field(default_factory=list)
    starting: bool = True  # an attempt is being handed over: others wait until that ends


class Deduplicator:
    """Gives each item to the pipeline, to those that wait for the same one, or its vector from the cache."""

    def __init__(self, deduplicate: bool, cache_bytes: int) -> None:
        self._deduplicate = deduplicate
        self._changed = threading.Condition()  # guards everything here
        self._groups: dict[bytes, _Group] = {}
        self._group_of: dict[SharedFuture, _Group] = {}
        self._clock = Clock(self._changed, self._too_late)
        self._counts = Counts(SHARING)
        self._cache = ResultCache(cache_bytes, self._counts)

    @staticmethod
    def identify(future: SharedFuture, item: object, normalize: bool) -> None:
        """Read and hash the item: takes time, once a future."""
        if not future.identified:
            future.identity = identify(future.modality, item, normalize)
            future.identified = True

    def share(
        self, future: SharedFuture, priority: int, deadline: float | None, submit: Submit
    ) -> bool | None:
        """Take an identified future; False: the queue is full; None: the item equals no other."""
        identity = future.identity
        if identity is None:
            self._counts.add(future.modality, unshared=1)
            return None
        due = None if deadline is None else monotonic() + deadline
        with self._changed:
            while (group := self._groups.get(identity.key)) is not None and group.starting:
                self._changed.wait()
            found = self._cache.get(identity.key)
            if found is not None:
                self._counts.add(future.modality, hits=1)
            elif group is not None and group.priority >= priority:
                self._join(group, future, due, "shared")
                return True
            else:
                group = self._begin(group, future, priority, due)
        if found is not None:
            future.settle(np.frombuffer(found.vector, np.float32), found.notes, None)
            return True
        assert group is not None
        return self._attempt(group, future, identity.item(), priority, submit)

    def stats(self, modality: str) -> dict[str, float]:
        """How the items of one modality were answered, and what the cache holds of them."""
        return self._counts.of(modality)

    def clear(self) -> None:
        with self._changed:
            self._cache.clear()

    # Under the lock.

    def _begin(self, group: _Group | None, future: SharedFuture, priority: int, due: float | None) -> _Group:
        """A group for an item that nobody waits for, or that others wait for with less priority."""
        name = "misses" if group is None else "shared"
        if group is None:
            group = _Group(future.identity.key, future.modality, priority)  # type: ignore[union-attr]
            if self._deduplicate:
                self._groups[group.key] = group
        group.starting = True
        self._join(group, future, due, name)
        return group

    def _join(self, group: _Group, future: SharedFuture, due: float | None, name: str) -> None:
        self._counts.add(future.modality, **{name: 1})
        group.members[future] = None
        self._group_of[future] = group
        future.leave = self._leave
        if due is not None:
            self._clock.add(future, due)

    def _remove(self, future: SharedFuture) -> list[EmbeddingFuture] | None:
        """Take a member out; returns the attempts that nobody waits for then. None: it was not a member."""
        group = self._group_of.pop(future, None)
        if group is None:
            return None
        del group.members[future]
        self._clock.remove(future)
        return [] if group.members else self._dissolve(group)

    def _dissolve(self, group: _Group) -> list[EmbeddingFuture]:
        if self._groups.get(group.key) is group:
            del self._groups[group.key]
        return list(group.attempts)

    # Without it.

    def _attempt(
        self, group: _Group, future: SharedFuture, item: object, priority: int, submit: Submit
    ) -> bool:
        attempt = EmbeddingFuture(group.modality)
        with self._changed:
            earlier = list(group.attempts)
            group.attempts.append(attempt)
        accepted = False
        try:
            accepted = submit(attempt, item)
        finally:
            with self._changed:
                group.starting = False
                self._changed.notify_all()
                if accepted:
                    group.priority = priority
                else:
                    group.attempts.remove(attempt)
                    waited = self._remove(future) is not None
        if not accepted:
            return not waited  # an earlier attempt may have ended meanwhile
        attempt.add_done_callback(partial(self._ended, group))
        for each in earlier:
            if not each.in_engine():
                each.cancel()
        return True

    def _ended(self, group: _Group, attempt: EmbeddingFuture) -> None:
        """An attempt has a vector or an error for all; a cancelled one matters only if it was the last."""
        with self._changed:
            group.attempts.remove(attempt)
            if attempt.cancelled() and (group.attempts or not group.members):
                return
            error = CancelledError() if attempt.cancelled() else attempt.exception()
            vector = attempt.result() if error is None else None
            if vector is not None:
                self._cache.put(group.key, Result(group.modality, vector.tobytes(), attempt.notes))
            members = list(group.members)
            for member in members:
                self._remove(member)
            others = self._dissolve(group)
        for other in others:
            other.cancel()
        for member in members:
            member.settle(vector, attempt.notes, error)

    def _leave(self, future: SharedFuture) -> None:
        """The future was cancelled."""
        with self._changed:
            unwanted = self._remove(future)
            if unwanted is not None:
                self._counts.add(future.modality, cancelled=1)
        if unwanted is not None:
            future.settle(None, {}, None)
            _cancel(unwanted)

    def _too_late(self, future: SharedFuture) -> Callable[[], None] | None:
        """Its deadline is over. Returns what is to be done about it without the lock."""
        group = self._group_of[future]
        if any(attempt.in_engine() for attempt in group.attempts):
            return None
        unwanted = self._remove(future) or []
        self._counts.add(future.modality, expired=1)

        def end() -> None:
            future.settle(None, {}, deadline_exceeded(future.modality))
            _cancel(unwanted)

        return end


def _cancel(attempts: Iterable[EmbeddingFuture]) -> None:
    for attempt in attempts:
        attempt.cancel()
