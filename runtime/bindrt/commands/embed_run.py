"""The work of ``bind-embed``: embeds inputs of all modalities, and writes a row for each in their order."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bindrt.commands.inputs import EmbedArguments, Input, list_inputs, resolve
from bindrt.commands.segments import Row
from bindrt.errors import Error
from bindrt.model import Model
from bindrt.pipeline import EmbeddingFuture

#: Inputs that are in work at once: enough to fill batches while others are prepared.
AHEAD = 128

Write = Callable[[Row], None]


@dataclass(frozen=True)
class Pending:
    """An input in work. If it has no future, it has failed already.

    Attributes:
        ends: whether its error is not the input's own: then nothing more can be embedded.
    """

    source: str
    modality: str | None
    future: EmbeddingFuture | None = None
    error: Error | None = None
    ends: bool = False

    def row(self) -> Row:
        """Waits for its row. An error of the item is written in the row."""
        if self.future is None:
            return Row(self.source, self.modality, str(self.error), None)
        try:
            return Row(self.source, self.modality, None, self.future.result())
        except Error as error:
            return Row(self.source, self.modality, str(error), None)

    def is_finished(self) -> bool:
        return self.future is None or self.future.done()


@dataclass
class EmbedRun:
    """Embeds all inputs of the command line, at most ``AHEAD`` at a time.

    Attributes:
        skip: an input that fails becomes a row with its error; else the run ends with that error.
        passed_over: files of folders that are not media, so far.
        failed: inputs with an error, so far.
        done: inputs that have a row from an earlier run, and how often.
    """

    model: Model
    arguments: EmbedArguments
    skip: bool
    passed_over: int = 0
    failed: int = 0
    done: Counter[tuple[bool, str]] = field(default_factory=Counter)

    def run(
        self,
        write: Write,
        advance: Callable[[int], None] = lambda _: None,
        idle: Callable[[], None] = lambda: None,
    ) -> None:
        """Embeds all inputs.

        Before it raises an error, it writes every row before that one. When it is interrupted, it writes
        every row that is finished.

        Args:
            write: takes each row, in the order of the inputs.
            advance: is told how many more inputs are done.
            idle: is called now and then while the list on standard input pauses.
        """
        waiting: deque[Pending] = deque()

        def finish_first() -> None:
            row = waiting[0].row()
            pending = waiting.popleft()  # after row(): an interrupt there must still find it
            self._write(pending, row, write)
            advance(1)

        try:
            for entry in self._inputs():
                if entry is not None and (pending := self._start(entry)) is not None:
                    waiting.append(pending)
                elif entry is not None:
                    self.passed_over += 1
                    advance(1)
                while waiting and (len(waiting) >= AHEAD or waiting[0].is_finished()):
                    finish_first()
                if entry is None:
                    idle()
            while waiting:
                finish_first()
        except KeyboardInterrupt:
            for pending in waiting:
                if pending.is_finished() and (row := pending.row()).error is None:
                    write(row)
            raise
        finally:
            for pending in waiting:
                if pending.future is not None:
                    pending.future.cancel()

    def _inputs(self) -> Iterator[Input | None]:
        """Inputs that have no row yet; None while the list on standard input pauses."""
        for entry in list_inputs(self.arguments):
            if entry is not None and self.done[entry.key()] > 0:
                self.done[entry.key()] -= 1
            else:
                yield entry

    def _start(self, entry: Input) -> Pending | None:
        """Submits an input; None for a folder's file that is not media."""
        try:
            found = resolve(entry, self.arguments)
        except Error as error:
            return Pending(entry.source, entry.modality, error=error)
        if found is None:
            return None
        try:
            return Pending(entry.source, found[0], self.model.submit(*found))
        except Error as error:
            return Pending(entry.source, found[0], error=error, ends=True)

    def _write(self, pending: Pending, row: Row, write: Write) -> None:
        if pending.error is not None and pending.ends:
            raise pending.error
        if row.error is not None:
            if not self.skip:
                raise Error("", row.error, "add --on-error skip to record it and go on")
            self.failed += 1
        write(row)
