"""A recording of sensors as an input of ``bind-embed``: a row for each window of each topic."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from bindrt.commands.file_states import FileState
from bindrt.commands.inputs import EmbedArguments, Input
from bindrt.commands.rows import Row
from bindrt.commands.rules import rule_for
from bindrt.commands.windows_in_work import AHEAD, RowsInWork, as_json
from bindrt.errors import InputError
from bindrt.model import Model
from bindrt.notes import WINDOWS, Notes
from bindrt.recordings import Recording, is_recording
from bindrt.recordings.embedding import TopicWindow, WindowOptions, embed_recording
from bindrt.streams.windows import Ahead

_SUFFIXES = (".mcap", ".bag", ".db3")
_log = logging.getLogger("bindrt.recordings")


def is_sensor_recording(path: str) -> bool:
    """Whether an input is an MCAP file or a bag, by its name and its first bytes."""
    return path.lower().endswith(_SUFFIXES) and is_recording(path)


@dataclass(frozen=True)
class SensorsInWork(RowsInWork):
    """A recording of sensors in work.

    Attributes:
        entry: the input, with the kind of its windows among its options.
        recording: the opened file.
        windows: those that have no row yet, in order.
        only: the modality whose topics are embedded; None: all.
        strict: what could not be read is an error.
        state: the file's state, once its content is hashed.
        replaces: the numbers of earlier rows that its rows take the place of.
    """

    entry: Input
    recording: Recording
    windows: Ahead[TopicWindow]
    only: str | None
    strict: bool
    state: Future[FileState] | None
    replaces: Sequence[int]

    @classmethod
    def begin(
        cls,
        model: Model,
        entry: Input,
        arguments: EmbedArguments,
        state: Future[FileState] | None,
        replaces: Sequence[int],
    ) -> SensorsInWork:
        """Opens a recording and begins to embed it.

        Raises:
            Error: it cannot be opened, or the extra ``recordings`` is not installed.
        """
        rule = rule_for(arguments.rules, entry.name)
        only = entry.modality or (rule.modality if rule else arguments.modality)
        recording = Recording(entry.path, arguments.limits)
        windows = embed_recording(model, recording, None, WindowOptions(arguments.window, arguments.hop))
        work = Ahead(windows, AHEAD, "bindrt-rows")
        return cls(entry, recording, work, only, arguments.strict, state, replaces)

    def rows(self) -> Iterator[tuple[Row, Notes]]:
        """The row of each window and what it tells; the last row says how many there are.

        By that a later run knows whether the recording was embedded to its end.
        """
        held: TopicWindow | None = None
        count = 0
        for window in self.windows:
            if self.only in (None, window.modality):
                if held is not None:
                    yield self._row(held, {}, self.replaces if count == 1 else ())
                held, count = window, count + 1
        told = self.recording.report.lines()
        for line in told:
            _log.warning("%s: %s", self.entry.source, line)
        if held is not None:
            yield self._row(held, {WINDOWS: count}, self.replaces if count == 1 else ())
        if held is None or (told and self.strict):
            yield self._error(told, self.replaces if held is None else ()), {}

    def is_whole(self) -> bool:
        return self.recording.report.is_whole

    def cancel(self) -> None:
        self.windows.close()
        self.recording.close()

    def _error(self, told: Sequence[str], replaces: Sequence[int]) -> Row:
        problem = told[0] if told else "no topic of it has a window"
        error = InputError(self.entry.source, problem, "see docs/recordings.md for the topics that are read")
        state = self.state.result() if self.state is not None else None
        options = self.entry.options_text
        return Row(self.entry.source, None, str(error), None, options, None, state, and_replaces=replaces)

    def _row(self, window: TopicWindow, told: Notes, replaces: Sequence[int]) -> tuple[Row, Notes]:
        row = Row(
            self.entry.source,
            window.modality,
            None,
            window.vector,
            self.entry.options_text,
            as_json({"topic": window.topic, **window.notes, **told}),
            self.state.result() if self.state is not None else None,
            start=window.start,
            end=window.end,
            and_replaces=replaces,
        )
        return row, window.notes
