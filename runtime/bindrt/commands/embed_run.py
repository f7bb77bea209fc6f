"""The work of ``bind-embed``: embeds inputs of all modalities, and writes a row for each in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any, cast

from bindrt.bundle.space import with_fewer_views
from bindrt.commands.earlier import EarlierRows
from bindrt.commands.file_states import FileState, state_of
from bindrt.commands.inputs import EmbedArguments, Input, list_inputs, resolve
from bindrt.commands.interrupts import interrupts_held
from bindrt.commands.items_in_work import Gathering, Pending, Submit
from bindrt.commands.passed_over import PassedOver
from bindrt.commands.rows import Row
from bindrt.commands.rules import rule_for
from bindrt.commands.sensors_in_work import SensorsInWork, is_sensor_recording
from bindrt.commands.summary import Summary
from bindrt.commands.windows_in_work import AHEAD as WINDOWS_AHEAD
from bindrt.commands.windows_in_work import RowsInWork, WindowsInWork
from bindrt.errors import Error, InputError
from bindrt.modalities import MODALITIES
from bindrt.model import Model
from bindrt.notes import FEWER_VIEWS, Notes
from bindrt.streams.windows import CUTS, Ahead

#: Inputs that are in work at once: enough to fill batches while others are prepared.
AHEAD = 128
#: Recordings that are in work window by window: the next one is opened while one ends.
RECORDINGS = 2

Write = Callable[[Row], None]


class Hashing:
    """Hashes files on threads of its own, while the engine works. Closing does not wait for a long file."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, "bindrt-hash")
        self._stop = Event()

    def submit(self, state: FileState | None, path: str) -> Future[FileState] | None:
        return None if state is None else self._threads.submit(state.hashed, path, self._stop)

    def close(self) -> None:
        self._stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass
class EmbedRun:
    """Embeds all inputs of the command line, at most ``AHEAD`` at a time.

    Attributes:
        skip: an input that fails becomes a row with its error; else the run ends with that error.
        retry_failed: inputs whose earlier row is an error are embedded again.
        earlier: the rows of an earlier run.
        summary: what has happened so far.
    """

    model: Model
    arguments: EmbedArguments
    skip: bool
    retry_failed: bool = False
    earlier: EarlierRows = field(default_factory=EarlierRows)
    summary: Summary = field(default_factory=Summary)

    @property
    def space(self) -> str:
        """The space of the rows; its name tells if fewer views of videos are asked for."""
        given = [self.arguments.options, *(rule.options for rule in self.arguments.rules)]
        every = str(MODALITIES["video"].views)
        views = [{FEWER_VIEWS: options[FEWER_VIEWS]} for options in given if FEWER_VIEWS in options]
        return with_fewer_views(self.model.space, {"video": [v for v in views if v[FEWER_VIEWS] != every]})

    def run(
        self,
        write: Write,
        advance: Callable[[int], None] = lambda _: None,
        idle: Callable[[], None] = lambda: None,
    ) -> None:
        """Embeds all inputs.

        Before it raises an error, it writes every row before that one. When it is interrupted, it writes
        what is finished up to the first row that is not: so a run that goes on keeps the order.

        Args:
            write: takes each row, in the order of the inputs.
            advance: is told how many more inputs are done.
            idle: is called now and then while the list on standard input pauses.
        """
        self.summary.idle_rules = {rule.pattern for rule in self.arguments.rules}
        waiting: deque[Pending | RowsInWork] = deque()
        hashing = Hashing()
        gathering = Gathering(cast(Submit, self.model.submit_many))  # modalities come from the command line

        def finish_first() -> None:
            first = waiting[0]
            if isinstance(first, RowsInWork):
                for row, notes in first.rows():
                    self._record(row, notes, write)
                self.summary.damaged += not first.is_whole()
                waiting.popleft().cancel()
            else:
                if first.waits:
                    gathering.send()
                row = first.row()
                with interrupts_held():  # else a row may be in neither place, or in both
                    waiting.popleft()
                    self._write(first, row, write)
            advance(1)

        try:
            for entry in list_inputs(self.arguments):
                if entry is None:
                    gathering.send()
                    idle()
                elif (pending := self._start(entry, hashing)) is not None:
                    waiting.append(pending)
                    if isinstance(pending, Pending) and pending.waits:
                        gathering.add(pending, len(waiting))
                else:
                    advance(1)
                while waiting and (waiting[0].is_finished() or _is_full(waiting)):
                    finish_first()
            while waiting:
                finish_first()
        except KeyboardInterrupt:
            for row in _finished(waiting):
                write(row)
            raise
        finally:
            for pending in waiting:
                pending.cancel()
            hashing.close()

    def _start(self, entry: Input, hashing: Hashing) -> Pending | RowsInWork | None:
        """Begins an input; None for one that has its rows, and for a folder's file that is not media."""
        if (rule := rule_for(self.arguments.rules, entry.name)) is not None:
            self.summary.idle_rules.discard(rule.pattern)
        if entry.modality != "text" and is_sensor_recording(entry.path):
            return self._start_sensors(entry, hashing)
        if self.arguments.spec and (modality := self._in_windows(entry)) is not None:
            return self._start_windows(entry, modality, hashing)
        place = self.earlier.take(entry.key)
        if place is not None and not self._is_old(place, entry):
            return None
        replaces = None if place is None else self.earlier.number(place)
        state = None if entry.modality == "text" else state_of(entry.path)  # before it is read
        hashed = hashing.submit(state, entry.path)
        try:
            found = resolve(entry, self.arguments)
        except Error as of_item:
            return Pending(entry, entry.modality, replaces=replaces, state=hashed, error=of_item)
        if isinstance(found, PassedOver):
            self.summary.pass_over(found)
            return None
        modality, item = found
        if modality not in self.model.modalities:
            problem, remedy = f"the bundle has no {modality}", f"it has {', '.join(self.model.modalities)}"
            error = InputError(entry.source, problem, remedy)
            return Pending(entry, modality, replaces=replaces, state=hashed, error=error)
        return Pending(entry, modality, item, replaces, hashed)

    def _in_windows(self, entry: Input) -> str | None:
        """The modality of an input that is embedded window by window; None for any other."""
        try:
            found = resolve(entry, self.arguments)
        except Error:
            return self.earlier.modality_of(entry.in_windows(self.arguments.spec).window_key, CUTS)
        is_cut = not isinstance(found, PassedOver) and found[0] in CUTS and found[0] in self.model.modalities
        return found[0] if is_cut else None  # type: ignore[index]

    def _start_windows(self, entry: Input, modality: str, hashing: Hashing) -> Pending | WindowsInWork | None:
        """Begins a recording, or goes on with it; None if all of its windows have rows."""
        places = self.earlier.take_all(entry.in_windows(self.arguments.spec).window_key(modality))
        kept = self._kept(places, entry)
        if kept and kept == places and self.earlier.ended(kept[-1]):
            return None
        replaces = [self.earlier.number(place) for place in places[len(kept) :]]
        state = hashing.submit(state_of(entry.path), entry.path)
        try:
            item = cast(Any, resolve(entry, self.arguments))[1]
        except Error as of_item:
            return Pending(entry, modality, state=state, error=of_item)
        try:
            self.model.engine(cast(Any, modality))
            windows = self.model.windows(
                **{modality: item},
                window=cast(float, self.arguments.window),
                hop=self.arguments.hop,
                on_error="skip",
                after=self.earlier.start(kept[-1]) if kept else None,
            )
        except Error as of_model:
            return Pending(entry, modality, error=of_model, ends=True)
        work = Ahead(windows, WINDOWS_AHEAD, "bindrt-rows")
        return WindowsInWork(entry.in_windows(self.arguments.spec), modality, work, state, replaces)

    def _start_sensors(self, entry: Input, hashing: Hashing) -> Pending | RowsInWork | None:
        """Begins an MCAP file or a bag; None if all of its windows have rows. It is read whole, or not."""
        entry = entry.in_windows(self.arguments.spec)
        failed = self.earlier.take(entry.key)
        places = [] if failed is None else [failed]
        places += [place for m in MODALITIES for place in self.earlier.take_all(entry.window_key(m))]
        is_whole = failed is not None or any(map(self.earlier.ended, places))
        if places and not self._is_old(places[0], entry) and is_whole:
            return None
        replaces = [self.earlier.number(place) for place in places]
        state = hashing.submit(state_of(entry.path), entry.path)
        try:
            return SensorsInWork.begin(self.model, entry, self.arguments, state, replaces)
        except Error as of_item:
            first = replaces[0] if replaces else None
            return Pending(entry, None, replaces=first, state=state, error=of_item)

    def _kept(self, places: list[int], entry: Input) -> list[int]:
        """The earlier rows of a recording that stay: none if it has changed, else those before a retry."""
        if places and self.earlier.has_changed(places[0], entry.path):
            self.summary.changed += 1
            return []
        failed = next((i for i, place in enumerate(places) if self.earlier.failed(place)), len(places))
        if self.retry_failed and failed < len(places):
            self.summary.retried += 1
            return places[:failed]
        return places

    def _is_old(self, place: int, entry: Input) -> bool:
        """Whether the earlier row of an input is to be made again."""
        if self.retry_failed and self.earlier.failed(place):
            self.summary.retried += 1
        elif entry.modality != "text" and self.earlier.has_changed(place, entry.path):
            self.summary.changed += 1
        else:
            return False
        return True

    def _write(self, pending: Pending, row: Row, write: Write) -> None:
        if pending.error is not None and pending.ends:
            raise pending.error
        self._record(row, pending.notes, write)

    def _record(self, row: Row, notes: Notes, write: Write) -> None:
        if row.error is not None:
            if not self.skip:
                raise Error("", row.error, "add --on-error skip to record it and go on")
            self.summary.fail(row.source, row.error)
        else:
            self.summary.note(notes)
        self.summary.rows += 1
        write(row)


def _finished(waiting: Iterable[Pending | RowsInWork]) -> Iterator[Row]:
    """The rows up to the first that is not finished, or has failed, perhaps by the interrupt."""
    for pending in waiting:
        if isinstance(pending, RowsInWork) or not pending.is_finished():
            return
        if (row := pending.row()).error is not None:
            return
        yield row


def _is_full(waiting: deque[Pending | RowsInWork]) -> bool:
    """Whether enough is in work."""
    return len(waiting) >= AHEAD or sum(isinstance(p, RowsInWork) for p in waiting) > RECORDINGS
