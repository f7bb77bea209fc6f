"""Inputs of ``bind-embed`` that are one item each: submitted some at a time, a row for each."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from bindrt.commands.file_states import FileState
from bindrt.commands.inputs import Input
from bindrt.commands.rows import Row
from bindrt.commands.windows_in_work import as_json
from bindrt.errors import Error, InputError
from bindrt.notes import Notes
from bindrt.pipeline import EmbeddingFuture

#: Inputs that are submitted together at most; more would not make one of them cheaper.
TOGETHER = 32

#: Submits items of one modality.
Submit = Callable[[str, list[object]], list[EmbeddingFuture]]


@dataclass(eq=False)
class Pending:
    """An input in work: to be submitted with others, submitted, or failed already.

    Attributes:
        modality: None for an input that failed before it was known.
        item: what is to be submitted.
        replaces: the number of the earlier row that its row takes the place of.
        state: the file's state, once its content is hashed.
        error: why it was not submitted.
        ends: whether the error is not the input's own: then nothing more can be embedded.
        future: its vector's, once it is submitted.
    """

    entry: Input
    modality: str | None
    item: object = None
    replaces: int | None = None
    state: Future[FileState] | None = None
    error: Error | None = None
    ends: bool = False
    future: EmbeddingFuture | None = None

    @property
    def waits(self) -> bool:
        """It is still to be submitted."""
        return self.future is None and self.error is None

    @property
    def notes(self) -> Notes:
        return {} if self.future is None else self.future.notes

    def row(self) -> Row:
        """Waits for its row. An error of the item is written in the row."""
        vector, error, notes = None, self.error, None
        if self.future is not None:
            try:
                vector = self.future.result()
                notes = as_json(self.future.notes)
            except Error as of_item:
                error = of_item
            except Exception as raw:  # whatever it is, it is this item's, and ends no job
                error = InputError(self.entry.source, f"{type(raw).__name__}: {raw}", "report this")
        state = self.state.result() if self.state is not None else None
        text = None if error is None else str(error)
        options = self.entry.options_text
        return Row(self.entry.source, self.modality, text, vector, options, notes, state, self.replaces)

    def cancel(self) -> None:
        if self.future is not None:
            self.future.cancel()

    def is_finished(self) -> bool:
        if self.waits:
            return False
        return (self.future is None or self.future.done()) and (self.state is None or self.state.done())


@dataclass
class Gathering:
    """Submits inputs together: a call for some of them costs hardly more than a call for one.

    While few are in work, few are gathered, so that the first ones need not wait.
    """

    submit: Submit
    _gathered: list[Pending] = field(default_factory=list)

    def add(self, pending: Pending, in_work: int) -> None:
        """Submits it, now or with the next ones.

        Args:
            in_work: inputs in work, this one among them.
        """
        self._gathered.append(pending)
        if len(self._gathered) >= min(TOGETHER, max(1, in_work // 4)):
            self.send()

    def send(self) -> None:
        """Submits what is gathered. Where the model takes none, each of them says so, and ends the run."""
        by_modality: dict[str | None, list[Pending]] = {}
        for pending in self._gathered:
            by_modality.setdefault(pending.modality, []).append(pending)
        self._gathered.clear()
        for modality, some in by_modality.items():
            assert modality is not None
            try:
                futures = self.submit(modality, [pending.item for pending in some])
            except Error as of_model:
                for pending in some:
                    pending.error, pending.ends = of_model, True
                continue
            for pending, future in zip(some, futures, strict=True):
                pending.future, pending.item = future, None
