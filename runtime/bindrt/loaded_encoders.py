"""Which encoders are in memory, and which are unloaded when another one needs the room."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bindrt.engines import Engine
from bindrt.errors import MemoryBudgetExceeded
from bindrt.option_checks import require_whole
from bindrt.pipeline.memory import Held, megabytes

LOG = logging.getLogger(__name__)

#: Seconds that a load waits until some encoder has no work and can be unloaded; and seconds between looks.
PATIENCE, LOOK = 60.0, 0.01


class UseOrder:
    """Encoders by their last use; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._order: OrderedDict[str, None] = OrderedDict()

    def touch(self, encoder: str) -> None:
        with self._lock:
            self._order[encoder] = None
            self._order.move_to_end(encoder)

    def oldest_first(self, encoders: Iterable[str]) -> list[str]:
        with self._lock:
            place = {encoder: i for i, encoder in enumerate(self._order)}
        return sorted(encoders, key=lambda encoder: place.get(encoder, -1))


class LoadedEncoders:
    """The open engines of a model, within a budget of bytes if there is one.

    An encoder counts with the size of its weights on disk, and what it may come to hold besides on the host
    and on a GPU. To make room, encoders without work are unloaded, the least recently used first.

    Args:
        expected: what an encoder will hold, as far as is known before its engine is opened.
        held: what it may come to hold with its engine.
        less_by: for an error, the options that would take less; empty if there are none.
    """

    def __init__(
        self,
        name: str,
        budget: int | None,
        weights: Mapping[str, int],
        open_engine: Callable[[str], Engine],
        expected: Callable[[str], Held],
        held: Callable[[str, Engine], Held],
        less_by: Callable[[Held], str],
        is_idle: Callable[[str], bool],
        close_pipeline: Callable[[str], None],
    ) -> None:
        require_whole("memory_budget", budget, "bytes", 1, optional=True)
        self.used = UseOrder()
        self.budget = budget
        self.engines: dict[str, Engine] = {}
        self.name = name
        self._weights = weights
        self._open = open_engine
        self._expected = expected
        self._held = held
        self._less_by = less_by
        self._is_idle = is_idle
        self._close_pipeline = close_pipeline
        self._loading = threading.Lock()  # held while an encoder is opened; engines are popped without it
        self._guard = threading.Lock()
        self._users: Counter[str] = Counter()  # of calls that run an engine without the pipeline
        _all_loaded.add(self)

    def engine(self, encoder: str) -> Engine:
        """The engine of an encoder; it is opened if it is not open.

        Raises:
            MemoryBudgetExceeded: it does not fit alone, or nothing went idle in time.
        """
        self.used.touch(encoder)
        return self.engines.get(encoder) or self._load(encoder, evict=True)

    def opened(self, encoder: str) -> Engine | None:
        """As ``engine``; None if it would have to be opened."""
        self.used.touch(encoder)
        return self.engines.get(encoder)

    def warm(self, encoder: str) -> Engine | None:
        """As ``engine``; None if another encoder would have to be unloaded."""
        try:
            return self.engines.get(encoder) or self._load(encoder, evict=False)
        except MemoryBudgetExceeded:
            return None

    @contextmanager
    def using(self, encoder: str) -> Iterator[Engine]:
        """The engine; it is not unloaded while the block runs."""
        while True:
            engine = self.engine(encoder)
            with self._guard:
                if self.engines.get(encoder) is engine:
                    self._users[encoder] += 1
                    break
        try:
            yield engine
        finally:
            with self._guard:
                self._users[encoder] -= 1

    def unload(self, encoder: str) -> None:
        """Finish its work, and free it."""
        self.engines.pop(encoder, None)  # first, so that a new request opens another
        self._close_pipeline(encoder)

    def clear(self) -> None:
        self.engines.clear()

    def memory(self) -> dict[str, dict[str, int]]:
        """For each encoder in memory, bytes of its weights and of the batches it may come to hold.

        On a GPU ``device`` too: what it takes there besides the weights.
        """
        return {
            encoder: self._sums(encoder, self._held(encoder, engine))
            for encoder, engine in list(self.engines.items())
        }

    def _sums(self, encoder: str, held: Held) -> dict[str, int]:
        found = {"weights": self._weights[encoder], "batches": sum(held.host.values())}
        device = sum(held.device.values())
        return found | {"device": device} if device else found

    def _load(self, encoder: str, evict: bool) -> Engine:
        with self._loading:
            engine = self.engines.get(encoder)
            if engine is not None:
                return engine
            if self.budget is not None:
                self._make_room(encoder, self._expected(encoder), self.budget, evict)
            engine = self._open(encoder)
            if self.budget is not None:
                self._make_room(encoder, self._held(encoder, engine), self.budget, evict)
            self.engines[encoder] = engine
            return engine

    def _make_room(self, encoder: str, wanted: Held, budget: int, evict: bool) -> None:
        needed = sum(self._sums(encoder, wanted).values())
        what = f"{needed} bytes for {encoder}"
        if needed > budget:
            parts = {"weights": self._weights[encoder]} | wanted.host | wanted.device
            of = ", ".join(f"{name} {megabytes(count)}" for name, count in parts.items() if count)
            less = self._less_by(wanted)
            raise MemoryBudgetExceeded(
                self.name,
                f"{what} are more than the budget of {budget} ({of})",
                f"give it memory_budget={needed} or more" + (f", or {less}" if less else ""),
            )
        end = time.monotonic() + PATIENCE
        while (held := sum(sum(m.values()) for m in self.memory().values())) + needed > budget:
            if not evict:
                problem = f"{what} do not fit beside {held}"
                raise MemoryBudgetExceeded(self.name, problem, f"give it {held + needed} or more")
            victim = self._idle()
            if victim is not None:
                LOG.info("%s %s: unloaded, to make room for %s in the budget", self.name, victim, encoder)
                self.unload(victim)
            elif time.monotonic() > end:
                raise MemoryBudgetExceeded(
                    self.name,
                    f"{what} need others to go, which had work for {PATIENCE:g} s",
                    "raise the budget, or use fewer modalities at a time",
                )
            else:
                time.sleep(LOOK)

    def _idle(self) -> str | None:
        """The least recently used encoder that has no work."""
        with self._guard:
            free = [e for e in self.engines if self._users[e] == 0]
        return next((e for e in self.used.oldest_first(free) if self._is_idle(e)), None)


_all_loaded: weakref.WeakSet[LoadedEncoders] = weakref.WeakSet()


def loaded_models() -> list[dict[str, Any]]:
    """For each model of this process with encoders in memory: its name, its budget, the encoders' bytes."""
    found = [(r, r.memory()) for r in list(_all_loaded)]
    return [{"model": r.name, "budget": r.budget, "encoders": memory} for r, memory in found if memory]
