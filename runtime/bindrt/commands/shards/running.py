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

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from bindrt.commands.inputs import STDIN, EmbedArguments
from bindrt.commands.lance_files import SUFFIX as LANCE
from bindrt.commands.lance_files import write_lance
from bindrt.commands.outputs import check_suffix
from bindrt.commands.progress import progress_bar
from bindrt.commands.shards.blocks import Block, NumberedBlock, file_blocks, numbered
from bindrt.commands.shards.cluster import Cluster, run_on_ray
from bindrt.commands.shards.local import run_here
from bindrt.commands.shards.parts import FIRST_ROW, PLACE, Parts, is_folder, shards_folder
from bindrt.commands.shards.tables import table_blocks
from bindrt.commands.shards.worker import Done, Job
from bindrt.commands.storing import store_parts
from bindrt.commands.summary import Summary
from bindrt.errors import Error, OptionError
from bindrt.loading import load
from bindrt.locks import only_writer
from bindrt.modalities import MODALITIES
from bindrt.stores import StorePlace, open_store


def wants_shards(args: argparse.Namespace) -> bool:
    """Whether the command line asks for parts."""
    return bool(args.column or args.cluster or (args.output is not None and is_folder(args.output)))


def run_shards(args: argparse.Namespace, arguments: EmbedArguments, console: Console) -> Summary:
    """Embeds everything, and makes one file of the parts if that is wanted.

    Returns:
        What happened in this run.

    Raises:
        OptionError: an option means nothing here, or the earlier run was another one.
        Error: an input failed, with ``--on-error raise``; or as ``bindrt.load``.
    """
    _check(args)
    columns = parse_columns(args.column)
    output = Path(os.path.realpath(args.output))
    folder = shards_folder(output)
    job = _job(args, arguments, columns, folder)
    with only_writer(output, "bind-embed", "-o"):
        if output != folder and output.exists():
            raise OptionError(str(args.output), "it exists", "choose another -o")
        parts = Parts(folder)
        if not args.resume:
            parts.require_new()
        space, dim = _space_and_dim(job)
        parts.require_space(space)
        summary = Summary(kept=parts.rows())
        start = monotonic()
        with progress_bar(console, None) as advance:
            for done in _done(job, parts, _blocks(args, arguments, columns), args, advance):
                if done.error is not None:
                    raise Error("", done.error)
                summary.add(done.summary)
                advance(done.count)
        parts.clean()
        if args.index is not None:
            skip = args.on_error == "skip"
            store_parts(args.index, parts.paths(), columns, args.id, dim, space, summary, skip)
        if output != folder:
            _merge(parts, output)
        if not args.json:
            lines = [f"{args.output}: {summary.line(monotonic() - start)}"]
            for line in [*lines, *(f"  {detail}" for detail in summary.details())]:
                console.print(line, highlight=False, soft_wrap=True, markup=False)
    return summary


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
    if args.output is None:
        raise OptionError("--column or --cluster", "there is no output", "add -o FOLDER or -o OUT.parquet")
    if not is_folder(args.output):
        if args.output.suffix not in (".parquet", LANCE):
            remedy = "give a folder, .parquet or .lance"
            raise OptionError(f"-o {args.output}", "it cannot be made of shards", remedy)
        check_suffix(args.output)
    if STDIN in args.paths:
        raise OptionError("-", "standard input cannot be read again", "give a --manifest")
    if args.index is not None and not isinstance(args.index, StorePlace):
        raise OptionError("--index", "no index is made of shards", "give the URL of a store, or leave it out")
    if args.index is not None:
        open_store(args.index).close()  # its library is there
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


def _job(args: argparse.Namespace, arguments: EmbedArguments, columns: dict[str, str], folder: Path) -> Job:
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


def _space_and_dim(job: Job) -> tuple[str, int]:
    """The model's space and the length of its vectors; what is wrong with it is told before any work."""
    with load(job.bundle, **job.load) as model:
        for modality in job.columns:
            if modality not in model.modalities:
                problem = f"the bundle has no {modality}"
                raise OptionError(f"--column {modality}", problem, f"it has {', '.join(model.modalities)}")
        return model.space, model.embed_dim


def _blocks(
    args: argparse.Namespace, arguments: EmbedArguments, columns: dict[str, str]
) -> Iterator[NumberedBlock]:
    blocks: Iterator[Block] = (
        table_blocks(args.paths, args.block) if columns else file_blocks(arguments, args.block)
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


def _merge(parts: Parts, output: Path) -> None:
    """One file of all parts, whose rows come in their order; the parts are removed."""
    paths = parts.paths()
    schema = pa.unify_schemas([pq.read_schema(path) for path in paths], promote_options="permissive")
    about = {name: value for name, value in (schema.metadata or {}).items() if name not in (PLACE, FIRST_ROW)}
    schema = schema.with_metadata(about)
    if output.suffix == LANCE:
        write_lance(output, schema, _rows(paths, schema))
    else:
        _merge_parquet(output, schema, _rows(paths, schema))
    parts.remove()


def _rows(paths: list[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    for path in paths:
        with pq.ParquetFile(path) as part:
            for batch in part.iter_batches():
                yield _as(pa.Table.from_batches([batch]), schema)


def _merge_parquet(output: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
    beside = output.with_name(output.name + ".new")
    with open(beside, "wb") as file:
        with pq.ParquetWriter(file, schema) as writer:
            for table in tables:
                writer.write_table(table)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, output)


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table with the columns of ``schema``; those that it lacks are null."""
    there = set(table.column_names)
    columns = [
        table[f.name].cast(f.type) if f.name in there else pa.nulls(len(table), f.type) for f in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
