"""An input of ``bind-embed`` that is embedded window by window: a row for each, as the vectors come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from bindrt.commands.file_states import FileState
from bindrt.commands.inputs import Input
from bindrt.commands.rows import Row
from bindrt.notes import WINDOWS, Notes
from bindrt.streams.windows import Ahead, Window

#: Windows that are computed before their rows are written.
AHEAD = 32


class RowsInWork:
    """An input of which every window has a row."""

    def rows(self) -> Iterator[tuple[Row, Notes]]:
        """The row of each window and what it tells."""
        raise NotImplementedError

    def is_whole(self) -> bool:
        """Whether all of it could be read; known after its rows."""
        return True

    def is_finished(self) -> bool:
        """Its rows are written while the rest of it is computed."""
        return False

    def cancel(self) -> None:
        """Stops the work on it."""
        raise NotImplementedError


@dataclass(frozen=True)
class WindowsInWork(RowsInWork):
    """A recording in work.

    Attributes:
        entry: the input, with the kind of its windows among its options.
        windows: those that have no row yet, in order.
        state: the file's state, once its content is hashed.
        replaces: the numbers of earlier rows that its rows take the place of.
    """

    entry: Input
    modality: str
    windows: Ahead[Window]
    state: Future[FileState] | None = None
    replaces: Sequence[int] = ()

    def rows(self) -> Iterator[tuple[Row, Notes]]:
        """The row of each window and what it tells; the last row says that it is the last.

        By that a later run knows whether the recording was embedded to its end.
        """
        replaces = self.replaces
        held: Window | None = None
        for window in self.windows:
            if held is not None:
                yield self._row(held, False, replaces)
                replaces = ()
            held = window
        if held is not None:
            yield self._row(held, True, replaces)

    def cancel(self) -> None:
        self.windows.close()

    def _row(self, window: Window, last: bool, replaces: Sequence[int]) -> tuple[Row, Notes]:
        error = window.errors.get(self.modality)
        notes = dict(window.notes.get(self.modality, {}))
        told = {WINDOWS: window.number + (self.modality in window)} if last else {}
        state = self.state.result() if self.state is not None else None
        row = Row(
            self.entry.source,
            self.modality,
            None if error is None else str(error),
            None if error is not None else window[self.modality],
            self.entry.options_text,
            as_json({**notes, **told}),
            state,
            start=window.start,
            end=window.end,
            and_replaces=replaces,
        )
        return row, notes


def as_json(notes: Notes) -> str | None:
    """An item's notes as the output has them; None if there are none."""
    return json.dumps(dict(notes), ensure_ascii=False, default=float) if notes else None
