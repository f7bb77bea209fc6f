"""``bind-embed``: embeds files, folders and texts, and writes their vectors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from io import TextIOWrapper
from pathlib import Path
from time import monotonic

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

from bindrt.commands.embed_run import EmbedRun
from bindrt.commands.indexing import write_index
from bindrt.commands.inputs import EmbedArguments, count_inputs
from bindrt.commands.outputs import adopt, check_suffix, finish
from bindrt.commands.segments import Row, Segments, as_json_line
from bindrt.commands.terminal import Command, CommandParser
from bindrt.errors import OptionError
from bindrt.index.storage import check_place
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.loading import load
from bindrt.modalities import MODALITIES

#: A segment is written when it has this many rows, or when its first row is this old.
SEGMENT_ROWS = 512
SEGMENT_SECONDS = 5.0


def parser(prog: str) -> CommandParser:
    p = CommandParser(
        prog,
        "NAME.bind FILE|DIR|- ... [options]",
        "Embed files, folders (recursively), a list of paths on standard input (-), or texts. "
        "Without -o, JSON lines go to standard output.",
        """
        imagebind.bind photos/ talk.wav --text "a bell" -o vectors.parquet
        imagebind.bind photos/ --index photos.index --on-error skip
        """,
    )
    p.add("bundle", metavar="NAME.bind", help="the bundle that bind-export wrote")
    p.add("paths", nargs="*", metavar="FILE|DIR|-", help="what to embed")
    inputs = p.section("inputs")
    inputs(
        "--modality",
        choices=tuple(MODALITIES),
        help="of all files; default: found from each file's content",
    )
    inputs("--unit", choices=("m", "mm", "sunrgbd", "disparity"), help="unit of depth files")
    inputs("--text", action="append", default=[], metavar="TEXT", help="a text to embed; may be repeated")
    inputs("--max-pixels", type=int, metavar="N", help="most pixels of an image; default: 89 million")
    outputs = p.section("output")
    outputs("-o", "--output", type=Path, metavar="OUT", help=".parquet, .npz or .jsonl")
    outputs("--index", type=Path, metavar="OUT", help="write an index, a folder, for bind-search")
    outputs("--on-error", choices=("raise", "skip"), default="raise", help="default: raise")
    outputs("--resume", action="store_true", help="continue an earlier run, or add to its output")
    engine = p.section("engine")
    engine("--threads", type=int, metavar="N", help="threads of the engine")
    engine("--trace", type=Path, metavar="OUT.json", help="record what happens when, for ui.perfetto.dev")
    return p


def kept(args: argparse.Namespace) -> str:
    """What is said of a run that was stopped."""
    place = f"-o {args.output}" if args.output else f"--index {args.index}" if args.index else ""
    return f"; finished rows are kept, go on with --resume {place}" if place else ""


def run(args: argparse.Namespace, console: Console) -> None:
    arguments = EmbedArguments(args.paths, args.text, args.modality, args.unit)
    arguments.check()
    if args.output is not None:
        check_suffix(args.output)
    elif args.resume and args.index is None:
        raise OptionError("--resume", "there is no output to continue", "add -o OUT or --index OUT")
    if args.index is not None:
        check_place(args.index, f"--index {args.index}")
    limits = DEFAULT_LIMITS if args.max_pixels is None else Limits(max_pixels=args.max_pixels)
    with (
        load(args.bundle, threads=args.threads, limits=limits) as model,
        model.trace(args.trace) if args.trace is not None else nullcontext(),
    ):
        work = EmbedRun(model, arguments, args.on_error == "skip")
        if args.output is None and args.index is None:
            to_stdout(work)
        else:
            to_file(work, args.output, args.index, args.resume, console)


def to_stdout(work: EmbedRun) -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON is, whatever the terminal's language
    work.run(lambda row: print(as_json_line(row, work.model.space), flush=True))


def to_file(work: EmbedRun, output: Path | None, index: Path | None, resume: bool, console: Console) -> None:
    """Writes segments of rows, then makes a file, an index or both from them."""
    dim, space = work.model.embed_dim, work.model.space
    place = output or index
    assert place is not None
    segments = Segments(place, dim, space, resume)
    if resume:
        adopt(segments, dim, space)
    work.done = segments.done()
    kept = work.done.total()
    writer = SegmentWriter(segments)
    total = count_inputs(work.arguments)
    start = monotonic()
    with progress_bar(console) as progress:
        bar = progress.add_task("embedding", total=None if total is None else max(total - kept, 0))
        try:
            work.run(writer.add, lambda count: progress.advance(bar, count), writer.flush_old)
        finally:
            writer.flush()
    rows = segments.rows()
    if index is not None:
        write_index(segments, work.model, index)
    if output is not None:
        finish(segments, dim, space)
    else:
        segments.remove()
    summarize(work, place, rows, kept, monotonic() - start, console)


class SegmentWriter:
    """Collects rows and writes them in segments."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._open: tuple[int, list[Row]] = (segments.next_number(), [])
        self._since = monotonic()

    def add(self, row: Row) -> None:
        self._open[1].append(row)
        if len(self._open[1]) >= SEGMENT_ROWS:
            self.flush()
        self.flush_old()

    def flush_old(self) -> None:
        if self._open[1] and monotonic() - self._since >= SEGMENT_SECONDS:
            self.flush()

    def flush(self) -> None:
        number, rows = self._open
        self._segments.write(rows, number)
        self._open = (number + 1, [])  # after an interrupt before this line the same segment is written again
        self._since = monotonic()


class RateColumn(ProgressColumn):
    """Inputs per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="cyan")


def progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def summarize(work: EmbedRun, output: Path, rows: int, kept: int, seconds: float, console: Console) -> None:
    new = rows - kept
    parts = [f"{new} rows in {seconds:.1f} s"]
    if kept:
        parts.append(f"{kept} kept from before")
    if work.failed:
        parts.append(f"{work.failed} failed (see the error column)")
    if work.passed_over:
        parts.append(f"{work.passed_over} files passed over, not media")
    console.print(f"{output}: {', '.join(parts)}; space {work.model.space}", highlight=False, soft_wrap=True)


COMMAND = Command(
    "embed",
    "files, folders and texts to vectors",
    parser,
    run,
    output=lambda args: args.output or args.index or "standard output",
    when_stopped=kept,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code (bad inputs may be recorded as errors)."""
    return COMMAND.main(argv)
