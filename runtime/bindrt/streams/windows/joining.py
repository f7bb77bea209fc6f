"""Several sources on one clock: their windows by number, submitted and put together in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bindrt.errors import Error
from bindrt.limits import Limits
from bindrt.pipeline import EmbeddingFuture
from bindrt.streams.windows.ahead import Ahead
from bindrt.streams.windows.cuts import Cut
from bindrt.streams.windows.motion import motion_cuts
from bindrt.streams.windows.pictures import video_cuts
from bindrt.streams.windows.schedule import Schedule
from bindrt.streams.windows.sound import sound_cuts
from bindrt.streams.windows.window import Vector, Window

Submit = Callable[[str, Any], EmbeddingFuture]

#: What makes the windows of an item of each modality.
CUTS: Mapping[str, Callable[[Any, Schedule, Limits], Iterator[Cut]]] = {
    "audio": sound_cuts,
    "video": video_cuts,
    "imu": motion_cuts,
}
#: Windows of each source that are submitted before they are asked for: they fill batches.
AHEAD = 16
_ROUNDING = 1e-6  # seconds


@dataclass(frozen=True, eq=False)
class Pending:
    """A window of one source, which the model works on; without a future it has failed already.

    Attributes:
        is_known: its vector is not wanted.
    """

    cut: Cut
    future: EmbeddingFuture | None = None
    is_known: bool = False

    def vector(self) -> Vector:
        """Waits for its vector, or raises its error."""
        if self.cut.error is not None:
            raise self.cut.error
        assert self.future is not None
        return self.future.result()


def windows(
    sources: Mapping[str, Any],
    schedule: Schedule,
    limits: Limits,
    submit: Submit,
    skip: bool,
    after: float | None = None,
) -> Iterator[Window]:
    """The windows of all sources, in order.

    Args:
        sources: an item in its wrapper for each modality.
        submit: queues a ready item of a modality.
        skip: an error is told in its window, and the rest goes on; else it is raised after what is before it.
        after: windows that begin at this second or before are left out: their vectors are known.
    """
    with ExitStack() as stack:
        found = {}
        for modality, item in sources.items():
            cuts = CUTS[modality](item, schedule, limits)
            found[modality] = Ahead(_submitted(modality, cuts, submit, after), AHEAD, "bindrt-windows")
            stack.callback(found[modality].close)
        yield from _Joining(found, schedule, skip).windows()


def _submitted(modality: str, cuts: Iterator[Cut], submit: Submit, after: float | None) -> Iterator[Pending]:
    waiting: deque[EmbeddingFuture] = deque(maxlen=AHEAD + 1)
    try:
        for cut in cuts:
            if after is not None and cut.start <= after + _ROUNDING:
                yield Pending(cut, is_known=True)
                continue
            future = None if cut.item is None else submit(modality, cut.item)
            if future is not None:
                waiting.append(future)
            yield Pending(cut, future)
    except GeneratorExit:  # nobody wants more
        for future in waiting:
            future.cancel()
        raise


@dataclass
class _Joining:
    """Takes the first window of each source, and joins those of the lowest number."""

    sources: dict[str, Ahead[Pending]]
    schedule: Schedule
    skip: bool
    _heads: dict[str, Pending] = field(default_factory=dict)
    _failed: dict[str, tuple[int, Error]] = field(default_factory=dict)  # from which number on
    _next: dict[str, int] = field(default_factory=dict)  # the number after each source's last window
    _behind: float = 0.0  # where the last window ended

    def windows(self) -> Iterator[Window]:
        self._behind = float(self.schedule.origin)
        while True:
            for modality in [m for m in self.sources if m not in self._heads]:
                self._take(modality)
            number = min((each.cut.number for each in self._heads.values()), default=None)
            failed = self._reached(number)
            if failed and not self.skip:
                raise next(iter(failed.values()))
            if number is None:
                break
            yield self._window(number, failed)
        if failed:
            last = max(self._next.values(), default=0)
            yield Window(last, self._behind, self._behind, {}, errors=failed)

    def _take(self, modality: str) -> None:
        try:
            while (head := next(self.sources[modality])).is_known:
                self._next[modality] = head.cut.number + 1
                self._behind = max(self._behind, head.cut.end)
            self._heads[modality], self._next[modality] = head, head.cut.number + 1
        except StopIteration:
            del self.sources[modality]
        except Error as error:
            del self.sources[modality]
            self._failed[modality] = self._next.get(modality, 0), error

    def _reached(self, number: int | None) -> dict[str, Error]:
        """The sources that have failed before this window; None: all. They are told once."""
        found = {m: e for m, (at, e) in self._failed.items() if number is None or at <= number}
        self._failed = {m: failed for m, failed in self._failed.items() if m not in found}
        return found

    def _window(self, number: int, errors: dict[str, Error]) -> Window:
        parts = {m: self._heads.pop(m) for m in list(self._heads) if self._heads[m].cut.number == number}
        vectors: dict[str, Vector] = {}
        for modality, part in parts.items():
            try:
                vectors[modality] = part.vector()
            except Error as error:
                if not self.skip:
                    raise
                errors[modality] = error
        notes = {m: part.cut.notes for m, part in parts.items() if part.cut.notes}
        self._behind = max(part.cut.end for part in parts.values())
        return Window(number, self.schedule.start(number), self._behind, vectors, notes, errors)
