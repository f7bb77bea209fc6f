"""All items of one modality of a call, through the pipeline together: ``Model.embed`` and ``aembed``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.batching import TEXT_WINDOW, Outcome, by_length
from bindrt.ending import engine_gate
from bindrt.engines import Engine
from bindrt.errors import ClosedError, EngineError, Error
from bindrt.items import Prepared
from bindrt.modalities import MODALITIES
from bindrt.pipeline.encoder import EncoderPipeline, vectors_beside
from bindrt.pipeline.futures import PATIENCE, exception_of
from bindrt.pipeline.pipelines import Pipelines
from bindrt.pipeline.request_options import RequestOptions
from bindrt.pipeline.stages import Stages
from bindrt.preparation import Preparation
from bindrt.statistics import Counts


class Window(NamedTuple):
    """Texts that follow each other: ids ``[N, length]``, and how many each has; 0: it is prepared alone."""

    first: int
    ids: Array
    lengths: Array

    def end(self) -> int:
        return self.first + len(self.lengths)


#: Texts of an engine call: ids of a window, which of its rows, how many columns, the window's first item.
Group = tuple[Array, Array, int, int]


class Bulk:
    """The items of one modality of a call; their vectors go into the rows of one array.

    Few items are in work at a time, so memory does not grow with their number. The first bad one ends the
    call unless ``skip``: those behind it are cancelled, those before it are waited for, since one may be bad.

    Args:
        engine: returns an encoder's engine.
        counts: get the time of what this thread prepares.
        options: how the requests are treated; they have a caller.
        here: this thread prepares a single item, and runs the engine where that has nothing else to do;
            texts make batches of their own.
        output: where the vectors go: ``host``, or ``device`` too.

    Raises:
        OptionError: they shall go to a device, and the encoder runs on the host.
        EngineError: the device has no memory for them.
    """

    def __init__(
        self,
        pipelines: Pipelines,
        preparation: Preparation,
        counts: Counts,
        engine: Callable[[str], Engine],
        embed_dim: int,
        modality: str,
        items: list[object],
        options: RequestOptions,
        skip: bool,
        here: bool,
        output: str = "host",
    ) -> None:
        on_device = None
        if output == "device":
            on_device = vectors_beside(engine(MODALITIES[modality].encoder), modality, len(items), embed_dim)
        self._outcome = Outcome(np.full((len(items), embed_dim), np.nan, np.float32), on_device)
        self._pipelines = pipelines
        self._preparation = preparation
        self._counts = counts
        self._modality = modality
        self._items = items
        self._engine = engine
        self._options = options
        self._skip = skip
        self._here = here
        self._bulk = _core.Bulk(items, self._outcome.rows, on_device)
        self._is_text = MODALITIES[modality].tokens is not None
        self._is_quick = len(items) == 1 or all(isinstance(item, Prepared) for item in items)
        self._texts: Iterator[Group | None] | None = None  # only meanwhile: it refers to this object
        self._group: Group | None = None  # the next to submit
        self._window: Window | None = None
        self._alone: deque[int] = deque()  # texts that are prepared one by one
        self._next = 0  # the first item that was not looked at yet
        self._is_submitted = not items
        self.is_full = False  #: the queue, when the last step ended
        self._most = 0  # requests that may be open when there is something to do again
        self._max_batch = 1
        self._bad: tuple[int, BaseException] | None = None

    def run(self) -> Outcome:
        """Embed them, on this thread as far as the engine has nothing else to do.

        Raises:
            Error: that of the first bad item, or the engine's.
        """
        try:
            while not self.step():
                self._wait()
        finally:
            if self._bulk.open() > 0:  # no other thread may still read the caller's items
                self.cancel()
            while self._bulk.open() > 0:
                self._bulk.wait(PATIENCE, 0)  # in between, signals are handled
                self._bulk.take_ended()
        return self.finished()

    def finished(self) -> Outcome:
        """Once all is over.

        Raises:
            Error: that of the first bad item, or the engine's.
        """
        self._texts = None
        if self._bad is not None:
            error, self._bad = self._bad[1], None
            try:
                raise error from None
            finally:
                del error  # it would refer to itself by its traceback, and so keep the items
        self._outcome.notes.update(self._bulk.take_notes())
        return self._outcome

    def stages(self) -> Stages | None:
        """When its items were prepared and computed; None if none has a vector."""
        found = self._bulk.stages()
        return None if found is None else Stages(*found)

    def cancel(self) -> None:
        """Nobody wants the rest any more."""
        self._bulk.cancel_after(-1)

    def call_when(self, wake: Callable[[], object]) -> bool:
        """Call ``wake`` once, from any thread, when ``step`` can go on; False: it can already.

        While the queue is full nothing may call it.
        """
        return self.is_full or self._bulk.call_when(self._wanted_open(), wake)

    def step(self) -> bool:
        """Go on as far as possible without waiting; whether all is over."""
        self._take_ended()
        if self._bad is None and not self._is_submitted:
            self._pipelines.on(self._modality, self._engine, self._submit)
        is_over = self._bulk.open() == 0 and (self._is_submitted or self._bad is not None)
        self._take_ended()  # not before: the last one may end in between
        return is_over

    def _wait(self) -> None:
        if self.is_full:
            self._pipelines.on(self._modality, self._engine, self._wait_for_room)
        else:
            self._bulk.wait(PATIENCE, self._wanted_open())

    def _wanted_open(self) -> int:
        return 0 if self._is_submitted or self._bad is not None else self._most

    def _wait_for_room(self, pipeline: EncoderPipeline) -> None:
        pipeline.core.wait_for_room(pipeline.lane[self._modality], PATIENCE)

    def _submit(self, pipeline: EncoderPipeline) -> None:
        self.is_full = False
        if self._is_text and self._here:
            self._submit_texts(pipeline)
        else:
            self._submit_items(pipeline)

    def _submit_items(self, pipeline: EncoderPipeline) -> None:
        ahead = pipeline.ahead[self._modality]
        self._most = ahead.items - ahead.batch
        wanted = min(ahead.items - self._bulk.open(), len(self._items) - self._next)
        options = self._core_options(pipeline, self._is_quick)
        ids = lengths = None
        if self._is_text:  # in batches that are shared with others
            if self._window is None or self._next == self._window.end():
                self._window = self._read_window(self._next)
            at = self._next - self._window.first
            ids, lengths = self._window.ids[at:], self._window.lengths[at:]
            wanted = min(wanted, len(lengths))
        elif pipeline.device_items is not None:
            for i in range(self._next, self._next + wanted):
                self._items[i], notes = pipeline.device_items.taken(self._modality, self._items[i])
                if notes:
                    self._outcome.notes[i] = notes
        accepted = pipeline.core.submit_items(self._bulk, self._next, wanted, options, ids, lengths)
        self.is_full = accepted < wanted
        self._next += accepted
        self._is_submitted = self._next == len(self._items)

    def _submit_texts(self, pipeline: EncoderPipeline) -> None:
        self._most = pipeline.ahead[self._modality].texts
        self._max_batch = pipeline.max_batch
        options = self._core_options(pipeline, True)
        while self._submit_alone(pipeline) and self._bad is None and self._bulk.open() <= self._most:
            if self._group is None:
                self._texts = self._texts or self._groups()
                self._group = next(self._texts, None)
            if self._group is None:
                self._is_submitted = self._next == len(self._items) and not self._alone
                if self._is_submitted:
                    return
                continue
            ids, rows, length, first = self._group
            length = next((n for n in pipeline.lengths[self._modality] if n >= length), length)
            each = np.ones(len(rows), np.int64)
            pipeline.core.submit_ids(self._bulk, ids, rows, length, rows + first, each, options)
            self._group = None
            self._take_ended()

    def _submit_alone(self, pipeline: EncoderPipeline) -> bool:
        """Submit texts that are prepared alone; False if the queue is full."""
        options = self._core_options(pipeline, len(self._items) == 1)
        while self._alone:
            if pipeline.core.submit_items(self._bulk, self._alone[0], 1, options) == 0:
                self.is_full = True
                return False
            self._alone.popleft()
        return True

    def _groups(self) -> Iterator[Group | None]:
        """Texts of a similar length. None after a window where there may be texts that are prepared alone."""
        while self._next < len(self._items):
            first, ids, lengths = self._read_window(self._next)
            self._next += len(lengths)
            self._alone.extend((first + np.flatnonzero(lengths == 0)).tolist())
            used = np.flatnonzero(lengths)
            for rows, length in by_length(lengths[used], self._max_batch) if len(used) else ():
                yield ids, used[rows], length, first
            yield None

    def _read_window(self, first: int) -> Window:
        with self._counts.timed(self._modality, "prepare"):
            window = self._items[first : first + TEXT_WINDOW]
            ids, lengths, notes = self._preparation.all_ids(self._modality, window)
        self._outcome.notes.update((first + i, of) for i, of in notes.items())
        return Window(first, ids, lengths)

    def _core_options(self, pipeline: EncoderPipeline, here: bool) -> _core.BulkOptions:
        priority, deadline, normalize, caller = self._options
        assert caller is not None
        here = here and self._here and pipeline.runs_here
        lane = pipeline.lane[self._modality]
        return _core.BulkOptions(lane, priority, caller, deadline, normalize, here)

    def _take_ended(self) -> None:
        for index, outcome, problem in self._bulk.take_ended():
            if outcome == _core.Outcome.CANCELLED:
                continue  # only this object cancels
            error = exception_of(self._pipelines.name, self._modality, outcome, problem)
            if not isinstance(error, Exception):
                raise error  # Ctrl-C, while this thread prepared the item
            if isinstance(error, ClosedError):
                engine_gate.require_running()
            named = error.at(f"{self._modality}[{index}]") if isinstance(error, Error) else error
            is_items = isinstance(named, Error) and not isinstance(named, ClosedError)
            if self._skip and is_items and not isinstance(problem, EngineError):
                self._outcome.errors[index] = named  # type: ignore[assignment]
            elif self._bad is None or index < self._bad[0]:
                self._bad = index, named
                self._bulk.cancel_after(index)
