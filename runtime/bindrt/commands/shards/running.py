"""``bind-embed`` with ``--column`` or ``--cluster``, or into a folder: a part for each block of inputs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console

from bindrt.commands.indexing import index_tables
from bindrt.commands.inputs import STDIN, EmbedArguments
from bindrt.commands.lance_files import SUFFIX as LANCE
from bindrt.commands.outputs import check_suffix
from bindrt.commands.progress import progress_bar
from bindrt.commands.shards.blocks import NumberedBlock, file_blocks, numbered
from bindrt.commands.shards.cluster import Cluster, run_on_ray
from bindrt.commands.shards.folders import Folder, RemoteOutput
from bindrt.commands.shards.local import run_here
from bindrt.commands.shards.part_rows import PartRows
from bindrt.commands.shards.parts import Parts, is_folder
from bindrt.commands.shards.target import MadeBy, Target, target_of
from bindrt.commands.shards.worker import Done, Job
from bindrt.commands.storing import store_parts
from bindrt.commands.summary import Summary
from bindrt.errors import Error, OptionError
from bindrt.index.place import check_place
from bindrt.loading import load
from bindrt.modalities import MODALITIES
from bindrt.stores import StorePlace, open_store
from bindrt.tables import Block, table_blocks


def wants_shards(args: argparse.Namespace) -> bool:
    """Whether the command line asks for parts."""
    is_parts = args.output is not None and (isinstance(args.output, RemoteOutput) or is_folder(args.output))
    return bool(args.column or args.cluster or is_parts)


def run_shards(args: argparse.Namespace, arguments: EmbedArguments, console: Console) -> Summary:
    """Embeds everything, and makes one file of the parts, an index or both if that is wanted.

    Returns:
        What happened in this run.

    Raises:
        OptionError: an option means nothing here, or the earlier run was another one.
        Error: an input failed, with ``--on-error raise``; or as ``bindrt.load``.
    """
    _check(args)
    columns = parse_columns(args.column)
    target = target_of(args.output, args.index)
    job = _job(args, arguments, columns, target.folder)
    with target.only_writer():
        target.require_new()
        try:
            summary = _embed(args, arguments, console, job, target, columns)
        finally:
            target.folder.remove(only_empty=True)
    return summary


def _embed(
    args: argparse.Namespace,
    arguments: EmbedArguments,
    console: Console,
    job: Job,
    target: Target,
    columns: dict[str, str],
) -> Summary:
    parts = Parts(target.folder)
    if not args.resume:
        parts.require_new()
    made = _made_by(job)
    parts.require_space(made.space)
    summary = Summary(kept=parts.rows())
    start = monotonic()
    with progress_bar(console, None) as advance:
        for done in _done(job, parts, _blocks(args, arguments, columns), args, advance):
            if done.error is not None:
                raise Error("", done.error)
            summary.add(done.summary)
            advance(done.count)
    target.folder.clean("part-")
    _deliver(args, parts, target, columns, made, summary)
    if not args.json:
        lines = [f"{args.output or args.index}: {summary.line(monotonic() - start)}"]
        for line in [*lines, *(f"  {detail}" for detail in summary.details())]:
            console.print(line, highlight=False, soft_wrap=True, markup=False)
    return summary


def _deliver(
    args: argparse.Namespace,
    parts: Parts,
    target: Target,
    columns: dict[str, str],
    made: MadeBy,
    summary: Summary,
) -> None:
    """Takes the parts where they are wanted."""
    rows = PartRows(parts, columns, args.id)
    if isinstance(args.index, StorePlace):
        store_parts(args.index, rows, made.dim, made.space, summary, args.on_error == "skip")
    elif args.index is not None:
        count = parts.rows() * len(columns)
        index_tables(rows.titled(), count, made.dim, made.space, args.dtype, made.bundle, args.index)
    if target.file is not None:
        target.merge(parts, made.schema(columns, args.dtype or "float32"))
    if not target.keeps_parts:
        target.folder.remove()


def parse_columns(given: list[str]) -> dict[str, str]:
    """The columns of ``--column MODALITY=COLUMN``.

    >>> parse_columns(["image=photo_path"])
    {'image': 'photo_path'}
    """
    found: dict[str, str] = {}
    for text in given:
        modality, is_there, column = text.partition("=")
        if not is_there or not column or modality not in MODALITIES:
            raise OptionError(
                f"--column {text}",
                "it is not MODALITY=COLUMN",
                f"a modality is one of {', '.join(MODALITIES)}",
            )
        if modality in found:
            raise OptionError(f"--column {text}", f"{modality} has a column already", "give one a modality")
        found[modality] = column
    return found


def _check(args: argparse.Namespace) -> None:
    if args.output is None and args.index is None:
        raise OptionError(
            "--column or --cluster", "there is no output", "add -o FOLDER, -o OUT.parquet or --index"
        )
    if args.output is not None:
        _check_output(args.output)
    if STDIN in args.paths:
        raise OptionError("-", "standard input cannot be read again", "give a --manifest")
    if args.index is not None:
        _check_index(args)
    if args.id is not None and not (args.index and args.column):
        raise OptionError("--id", "it names rows of tables in a store", "add --column and --index URL")
    for option in ("retry_failed", "prune", "trace"):
        if getattr(args, option):
            name = "--" + option.replace("_", "-")
            raise OptionError(name, "it is not for an output in shards", "leave it out")
    if args.column:
        for option in ("text", "manifest", "rule", "modality", "window", "include", "exclude", "shard"):
            if getattr(args, option):
                raise OptionError(f"--{option}", "it is for files, not for tables", "leave it out")
    for option in ("actors", "address"):
        if getattr(args, option) is not None and not args.cluster:
            raise OptionError(f"--{option}", "there is no cluster", "add --cluster ray")
    for option in ("block", "actors"):
        value = getattr(args, option)
        if value is not None and value < 1:
            raise OptionError(f"--{option} {value}", "it is not a number from 1 on", "give one")


def _check_output(output: Path | RemoteOutput) -> None:
    if is_folder(output):
        return
    if output.suffix != ".parquet" and (output.suffix != LANCE or isinstance(output, RemoteOutput)):
        is_remote = isinstance(output, RemoteOutput)
        remedy = "give a folder or .parquet there" if is_remote else "give a folder, .parquet or .lance"
        raise OptionError(f"-o {output}", "it cannot be made of shards", remedy)
    if isinstance(output, Path):
        check_suffix(output)


def _check_index(args: argparse.Namespace) -> None:
    if isinstance(args.index, StorePlace):
        open_store(args.index).close()  # its library is there
        return
    if not args.column:
        raise OptionError("--index", "no index is made of shards", "give the URL of a store, or leave it out")
    check_place(args.index, f"--index {args.index}")
    if args.index.exists():
        raise OptionError(f"--index {args.index}", "it exists", "choose another one")


def _job(args: argparse.Namespace, arguments: EmbedArguments, columns: dict[str, str], folder: Folder) -> Job:
    bundle = args.bundle if not os.path.isdir(args.bundle) else os.path.abspath(args.bundle)
    told: dict[str, Any] = {
        "engine": args.engine,
        "precision": args.precision,
        "device": args.device,
        "threads": args.threads,
        "limits": arguments.limits,
        "isolate": args.isolate or args.timeout is not None,
        "item_timeout": args.timeout,
    }
    alone = replace(arguments, paths=(), texts=(), manifest=None)
    dtype = args.dtype or "float32"
    return Job(str(bundle), str(folder), alone, columns, told, args.on_error == "skip", dtype)


def _made_by(job: Job) -> MadeBy:
    """The model of a job; what is wrong with it is told before any work."""
    with load(job.bundle, **job.load) as model:
        for modality in job.columns:
            if modality not in model.modalities:
                problem = f"the bundle has no {modality}"
                raise OptionError(f"--column {modality}", problem, f"it has {', '.join(model.modalities)}")
        return MadeBy(model.space, model.embed_dim, model.bundle.path)


def _blocks(
    args: argparse.Namespace, arguments: EmbedArguments, columns: dict[str, str]
) -> Iterator[NumberedBlock]:
    blocks: Iterator[Block] = (
        table_blocks(args.paths, args.block, arguments.own) if columns else file_blocks(arguments, args.block)
    )
    how = {
        "columns": sorted(columns.items()),
        "options": sorted(arguments.options.items()),
        "rules": repr(arguments.rules),
        "modality": arguments.modality,
        "window": arguments.spec,
        "dtype": args.dtype,
    }
    return numbered(blocks, how)


def _done(
    job: Job, parts: Parts, blocks: Iterator[NumberedBlock], args: argparse.Namespace, advance: Any
) -> Iterator[Done]:
    """What becomes of the blocks that have no part yet."""
    seen = 0

    def missing() -> Iterator[NumberedBlock]:
        nonlocal seen
        for block in blocks:
            seen += 1
            if parts.has(block):
                advance(block.block.count)
            else:
                yield block

    first = next(wanted := missing(), None)
    if first is not None:
        every = chain([first], wanted)
        if args.cluster:
            cluster = Cluster(args.address, args.actors, args.cpus, args.gpus)
            yield from run_on_ray(job, every, cluster)
        else:
            yield from run_here(job, every)
    parts.require_no_more(seen)
