"""``bind-embed``: embeds files, folders and texts, and writes their vectors."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from time import monotonic
from typing import cast

from rich.console import Console

from bindrt.commands.adopting import adopt
from bindrt.commands.earlier import EarlierRows
from bindrt.commands.embed_options import embed_arguments, parser
from bindrt.commands.embed_run import EmbedRun
from bindrt.commands.indexing import write_index
from bindrt.commands.inputs import count_inputs
from bindrt.commands.outputs import check_suffix, finish
from bindrt.commands.progress import progress_bar
from bindrt.commands.rows import as_json_line
from bindrt.commands.segment_writer import SegmentWriter
from bindrt.commands.segments import Segments, require_new
from bindrt.commands.shards.running import run_shards, wants_shards
from bindrt.commands.storing import rows_beside, store_segments
from bindrt.commands.terminal import DONE, PASSED_OVER, Command
from bindrt.errors import Error, OptionError
from bindrt.index.place import check_place
from bindrt.isolation import Isolated
from bindrt.loading import load
from bindrt.locks import only_writer
from bindrt.pipeline.options import BULK
from bindrt.statistics import work_of
from bindrt.stores import StorePlace, open_store


def run(args: argparse.Namespace, console: Console) -> int:
    """Embeds everything; the exit code."""
    arguments = embed_arguments(args)
    arguments.check(bool(args.column))
    limits = arguments.limits
    if wants_shards(args):
        summary = run_shards(args, arguments, console)
        if args.json:
            print(
                json.dumps(
                    {"output": str(args.output or args.index), **summary.as_json()}, ensure_ascii=False
                )
            )
        return PASSED_OVER if summary.doubtful else DONE
    check_outputs(args)
    with ExitStack() as stack:
        for written, option in ((args.output, "-o"), (index_folder(args), "--index")):
            if written is not None:
                stack.enter_context(only_writer(written, "bind-embed", option))
        if (place := args.output or index_folder(args)) is not None and not args.resume:
            require_new(real(place))
        isolate = args.isolate or args.timeout is not None
        model = stack.enter_context(
            load(
                args.bundle, args.engine, args.precision, args.device, threads=args.threads, limits=limits,
                pipeline=BULK, isolate=isolate, item_timeout=args.timeout,
            )
        )  # fmt: skip
        if isolate:  # looking into a file to tell its modality is decoding too
            looking = Isolated(args.timeout)
            stack.callback(looking.close)
            arguments = replace(arguments, detect=looking.detect)
        stack.enter_context(model.trace(args.trace) if args.trace is not None else nullcontext())
        work = EmbedRun(model, arguments, args.on_error == "skip", args.retry_failed)
        if place is None:
            to_stdout(work, args, console)
        else:
            to_file(work, args, console)
    if args.strict and work.summary.failed:
        raise Error("--strict", f"{work.summary.failed} inputs failed", "see the error column")
    return PASSED_OVER if work.summary.doubtful else DONE


def check_outputs(args: argparse.Namespace) -> None:
    """Raises OptionError for outputs that cannot be, and options that mean nothing without them."""
    if args.output is not None:
        check_suffix(args.output)
    elif args.resume and args.index is None:
        raise OptionError("--resume", "there is no output to continue", "add -o OUT or --index OUT")
    elif args.dtype is not None and args.index is None:
        raise OptionError("--dtype", "it is for the vectors in a file", "add -o OUT or --index OUT")
    for option in ("retry_failed", "prune"):
        if getattr(args, option) and not args.resume:
            raise OptionError("--" + option.replace("_", "-"), "there is no earlier run", "add --resume")
    if isinstance(args.index, StorePlace):
        if args.prune:
            raise OptionError("--prune", "rows of a store are not removed", "leave it out")
        open_store(args.index).close()  # its library is there
    elif args.index is not None:
        check_place(args.index, f"--index {args.index}")
        if args.output is not None and real(args.output) == real(args.index):
            raise OptionError(f"--index {args.index}", "it is the same place as -o", "choose another one")


def index_folder(args: argparse.Namespace) -> Path | None:
    """Where an index is written; for a store, where its rows are kept until it has them."""
    return rows_beside(args.index) if isinstance(args.index, StorePlace) else args.index


def real(place: Path) -> Path:
    """A place without links: so an output that is a link is written where the link points."""
    return Path(os.path.realpath(place))


def to_stdout(work: EmbedRun, args: argparse.Namespace, console: Console) -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON is, whatever the terminal's language
    start = monotonic()
    work.run(lambda row: print(as_json_line(row, work.space), flush=True))
    if args.json:
        print(summary_json(work), file=sys.stderr)
    elif not work.summary.is_silent:
        tell(console, work, "bind-embed", monotonic() - start)


def to_file(work: EmbedRun, args: argparse.Namespace, console: Console) -> None:
    """Writes segments of rows, then makes a file, an index or both from them."""
    folder = index_folder(args)
    output, index = args.output and real(args.output), folder and real(folder)
    model = work.model
    segments = Segments(output or cast(Path, index), model.embed_dim, work.space, args.resume, args.dtype)
    if args.resume:
        adopt(segments)
        work.earlier = EarlierRows(segments)
    start = monotonic()
    writer = SegmentWriter(segments)
    with progress_bar(console, count_inputs(work.arguments)) as advance:
        try:
            work.run(writer.add, advance, writer.flush_old)
        finally:
            writer.flush()
    close_run(work, segments, args.prune)
    if isinstance(args.index, StorePlace):
        store_segments(args.index, segments, work.summary, work.skip)
    elif index is not None:
        write_index(segments, model.bundle.path, index)
    if output is not None:
        finish(segments)
    else:
        segments.remove()
    if args.json:
        print(summary_json(work, args.output or str(args.index)))
    else:
        tell(console, work, str(args.output or args.index), monotonic() - start)


def close_run(work: EmbedRun, segments: Segments, prune: bool) -> None:
    """Looks for rows of files that are gone; removes them if that is wanted."""
    gone = work.earlier.gone(work.arguments.folders())
    if prune:
        segments.dropped.update(gone)
    work.summary.gone, work.summary.pruned = len(gone), prune
    work.summary.kept = segments.rows() - work.summary.rows


def tell(console: Console, work: EmbedRun, what: str, seconds: float) -> None:
    """Prints the summary."""
    lines = [f"{what}: {work.summary.line(seconds)}; space {work.space}"]
    lines += [f"  {line}" for line in work.summary.details()]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def summary_json(work: EmbedRun, output: Path | str | None = None) -> str:
    where = {"output": str(output)} if output is not None else {}
    work.summary.work = work_of(work.model.stats())
    return json.dumps({**where, "space": work.space, **work.summary.as_json()}, ensure_ascii=False)


def kept(args: argparse.Namespace) -> str:
    """What is said of a run that was stopped."""
    place = f"-o {args.output}" if args.output else f"--index {args.index}" if args.index else ""
    return f"; finished rows are kept, go on with --resume {place}" if place else ""


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
