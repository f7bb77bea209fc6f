"""Ctrl-C in ``bind-embed`` keeps the first rows, without a gap: so a run that goes on keeps the order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from bindrt.commands.embed_run import EmbedRun
from bindrt.commands.inputs import EmbedArguments
from bindrt.commands.interrupts import interrupts_held
from bindrt.commands.rows import Row
from bindrt.pipeline import EmbeddingFuture


class Interrupted(EmbeddingFuture):
    """It is never done; Ctrl-C comes while somebody waits for it."""

    def result(self, timeout: float | None = None) -> Any:
        signal.raise_signal(signal.SIGINT)


class Texts:
    """A model that has every text's vector at once, but not that of "slow"."""

    modalities = ("text",)

    def submit_many(self, modality: str, texts: Sequence[str]) -> list[EmbeddingFuture]:
        return [self._future(modality, text) for text in texts]

    def _future(self, modality: str, text: str) -> EmbeddingFuture:
        if text == "slow":
            return Interrupted(modality)
        future = EmbeddingFuture(modality)
        future.set_result(np.zeros(3, np.float32))
        return future


def run_of(*texts: str) -> EmbedRun:
    return EmbedRun(cast(Any, Texts()), EmbedArguments(texts=texts), skip=True)


def test_rows_behind_one_that_is_not_finished_are_left() -> None:
    rows: list[Row] = []
    with pytest.raises(KeyboardInterrupt):
        run_of("a", "b", "slow", "c", "d").run(rows.append)
    assert [row.source for row in rows] == ["a", "b"]


def test_a_row_is_written_to_its_end() -> None:
    """Ctrl-C while the second row is being written."""
    rows: list[Row] = []

    def write(row: Row) -> None:
        if row.source == "b":
            signal.raise_signal(signal.SIGINT)
        rows.append(row)

    with pytest.raises(KeyboardInterrupt):
        run_of("a", "b", "slow").run(write)
    assert [row.source for row in rows] == ["a", "b"]


def test_interrupts_come_at_the_end_of_the_block() -> None:
    steps = []

    def work() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            steps.append("in the block")
        steps.append("after it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["in the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_handlers_of_others_and_other_threads_are_left_alone() -> None:
    came = []
    before = signal.signal(signal.SIGINT, lambda *_: came.append(len(came)))
    try:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            assert came == [0]
    finally:
        signal.signal(signal.SIGINT, before)
    seen = []

    def elsewhere() -> None:
        with interrupts_held():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
