"""The options of ``bind-embed``."""

from __future__ import annotations

import argparse
from pathlib import Path

from bindrt.commands.inputs import EmbedArguments
from bindrt.commands.item_options import SECTION as ITEM_SECTION
from bindrt.commands.item_options import add_item_options, given_options
from bindrt.commands.limit_options import SECTION as LIMIT_SECTION
from bindrt.commands.limit_options import add_limit_options, given_limits
from bindrt.commands.manifests import Manifest
from bindrt.commands.rows import DTYPES
from bindrt.commands.rules import Selection, Shard, parse_rule, parse_shard
from bindrt.commands.segments import parts_folder
from bindrt.commands.shards.folders import RemoteOutput, output_place
from bindrt.commands.shards.parts import shards_folder
from bindrt.commands.storing import rows_beside
from bindrt.commands.terminal import Add, CommandParser
from bindrt.errors import Error, OptionError
from bindrt.modalities import MODALITIES
from bindrt.precisions import PRECISION_HELP
from bindrt.stores import StorePlace
from bindrt.streams.windows import Schedule


def parser(prog: str) -> CommandParser:
    p = CommandParser(
        prog,
        "NAME.bind FILE|DIR|- ... [options]",
        "Embed files, folders (recursively), lists of files, or texts. "
        "Without -o and --index, JSON lines go to standard output. "
        "Files of folders that are not media are passed over and named; "
        "if they may be media, the exit code is 3.",
        """
        imagebind.bind photos/ talk.wav --text "a bell" -o vectors.parquet
        imagebind.bind recordings/ --rule '*.depth.png=depth,unit=mm' --index all.index --on-error skip
        """,
    )
    p.add("bundle", metavar="NAME.bind", help="the bundle that bind-export wrote")
    p.add(
        "paths",
        nargs="*",
        metavar="FILE|DIR|-",
        help="what to embed; -: paths on standard input, a line each",
    )
    _add_inputs(p.section("inputs"))
    add_item_options(p.section(ITEM_SECTION))
    add_limit_options(p.section(LIMIT_SECTION))
    _add_output(p.section("output"))
    p.add_json("print the summary as JSON; on standard error if the rows are printed")
    _add_engine(p.section("engine"))
    _add_shards(p.section("tables and clusters"))
    return p


def _add_inputs(add: Add) -> None:
    modalities = tuple(MODALITIES)
    add("--modality", choices=modalities, help="of all files; default: found from each file's content")
    add("--rule", action="append", default=[], metavar="GLOB=MODALITY[,NAME=VALUE...]",
        help="files of such names are of a modality, for example '*.depth.png=depth,unit=mm'")  # fmt: skip
    add("--text", action="append", default=[], metavar="TEXT", help="a text to embed; may be repeated")
    add("--manifest", type=Path, metavar="FILE",
        help=".csv, .jsonl or .parquet with columns source, modality, and options such as unit")  # fmt: skip
    add("--include", action="append", default=[], metavar="GLOB", help="only files of such names")
    add("--exclude", action="append", default=[], metavar="GLOB", help="no files of such names")
    add("--shard", metavar="I/N", help="only the I-th of N parts of the inputs: 1/4 to 4/4")
    add("--window", type=float, metavar="S",
        help="sounds, videos and imu in windows of so many seconds: a row each, with its times")  # fmt: skip
    add("--hop", type=float, metavar="S",
        help="seconds from the start of a window to the next; default: half a window")  # fmt: skip
    add("--on-error", choices=("raise", "skip"), default="raise", help="default: raise")
    add("--strict", action="store_true",
        help="what would be passed over is an error; so is a recording with damaged parts")  # fmt: skip


def _add_output(add: Add) -> None:
    add(
        "-o",
        "--output",
        type=_output,
        metavar="OUT",
        help=".parquet, .npz, .jsonl or .lance; or a folder, for a file a block; or such a URL: s3://…",
    )
    add("--index", type=_index_place, metavar="OUT|URL",
        help="write an index, a folder, for bind-search; or load the rows into a store: "
        "qdrant://HOST/NAME, milvus://, postgresql://, weaviate://, lancedb:FOLDER/NAME")  # fmt: skip
    add("--dtype", choices=tuple(DTYPES), help="of the vectors in the output; default: float32")
    add("--resume", action="store_true",
        help="continue an earlier run, or add to its output; changed files are embedded again")  # fmt: skip
    add("--retry-failed", action="store_true", help="with --resume: also what failed before")
    add("--prune", action="store_true", help="with --resume: remove the rows of files that are gone")


def _add_engine(add: Add) -> None:
    add("--engine", default="auto", metavar="NAME", help="default: auto, the fastest here")
    add("--precision", metavar="P", help=PRECISION_HELP)
    add("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:N")
    add("--threads", type=int, metavar="N", help="threads of the engine")
    add("--isolate", action="store_true",
        help="decode files in processes of their own: a decoder that crashes costs one file")  # fmt: skip
    add("--timeout", type=float, metavar="S",
        help="with processes of their own: most seconds to decode one file")  # fmt: skip
    add("--trace", type=Path, metavar="OUT.json", help="record what happens when, for ui.perfetto.dev")


def _add_shards(add: Add) -> None:
    add("--column", action="append", default=[], metavar="MODALITY=COLUMN",
        help="the inputs are tables or tar shards; embed such a column of them; may be repeated")  # fmt: skip
    add("--id", metavar="COLUMN",
        help="names each row of the tables in a store; default: a row's place in its table")  # fmt: skip
    add("--block", type=int, default=1024, metavar="ROWS",
        help="inputs of one file of an output in a folder; default: 1024")  # fmt: skip
    add("--cluster", "--engine-cluster", choices=("ray",), help="embed on a cluster, many blocks at once")
    add("--address", metavar="HOST:PORT", help="of the cluster; default: RAY_ADDRESS, else this machine")
    add("--actors", type=int, metavar="N", help="models on the cluster; default: as many as it has room for")
    add("--cpus", type=float, default=1, metavar="N", help="CPUs of each; default: 1")
    add("--gpus", type=float, default=0, metavar="N", help="GPUs of each; default: 0")


def embed_arguments(args: argparse.Namespace) -> EmbedArguments:
    """What the command line asks to embed.

    Raises:
        OptionError: an option has a value that it cannot have.
    """
    shard = Shard() if args.shard is None else parse_shard(args.shard)
    window, hop = _window(args)
    return EmbedArguments(
        paths=args.paths,
        texts=args.text,
        modality=args.modality,
        options=given_options(args),
        rules=[parse_rule(text) for text in args.rule],
        selection=Selection(args.include, args.exclude, shard),
        manifest=None if args.manifest is None else Manifest(args.manifest),
        own=[place for out in (args.output, args.index) if out for place in _places(out)],
        strict=args.strict,
        window=window,
        hop=hop,
        limits=given_limits(args),
    )


def _places(output: Path | StorePlace | RemoteOutput) -> tuple[Path, ...]:
    """What an output writes on this machine: itself, and what it is made of."""
    if isinstance(output, RemoteOutput):
        return ()
    if isinstance(output, StorePlace):
        of_store = (Path(output.path),) if output.is_local else ()
        rows = rows_beside(output)
        return parts_folder(rows), rows.with_name(f"{rows.name}.shards"), *of_store
    return output, parts_folder(output), shards_folder(output), output.with_name(f"{output.name}.shards")


def _output(text: str) -> Path | RemoteOutput:
    try:
        return output_place(text)
    except Error as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _index_place(text: str) -> Path | StorePlace:
    try:
        return StorePlace.parse(text) if StorePlace.is_one(text) else Path(text)
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _window(args: argparse.Namespace) -> tuple[float | None, float | None]:
    """Seconds of a window and a hop; None: recordings are embedded whole."""
    if args.window is None:
        if args.hop is not None:
            raise OptionError("--hop", "there are no windows", "add --window")
        return None, None
    schedule = Schedule.of(args.window, args.hop)
    if args.isolate or args.timeout is not None:
        raise OptionError(
            "--window", "decoders are isolated file by file", "leave out --isolate and --timeout"
        )
    return float(schedule.window), float(schedule.hop)
