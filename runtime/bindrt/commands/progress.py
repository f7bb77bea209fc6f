"""The progress bar of ``bind-embed``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class RateColumn(ProgressColumn):
    """Inputs per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="cyan")


@contextmanager
def progress_bar(console: Console, total: int | None) -> Iterator[Callable[[int], None]]:
    """Shows a bar while the block runs; gives what to call with how many more inputs are done.

    Args:
        total: the number of inputs when they were counted; None: not known. More may have come since.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("embedding", total=total)

        def advance(count: int) -> None:
            task = progress.tasks[0]
            done = task.completed + count
            progress.update(bar, completed=done, total=total and max(total, int(done)))

        yield advance
