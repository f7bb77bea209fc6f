"""``bind-search``: what in an index is nearest to a text, an image, a sound, or a sum of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bindrt.bundle.space import require_comparable
from bindrt.commands.clips import clock, make_folder, write_clip
from bindrt.commands.item_options import SECTION as ITEM_SECTION
from bindrt.commands.item_options import add_item_options, given_options, require_use
from bindrt.commands.limit_options import SECTION as LIMIT_SECTION
from bindrt.commands.limit_options import add_limit_options, given_limits
from bindrt.commands.terminal import Command, CommandParser
from bindrt.embeddings import Vectors
from bindrt.errors import Error, OptionError
from bindrt.index import Hit, Index, combine, places, span_of
from bindrt.item_options import as_item
from bindrt.loading import load
from bindrt.modalities import MODALITIES
from bindrt.precisions import PRECISION_HELP

_MORE = 4  # times as many windows are looked at while their neighbours make too few places


class AddQuery(argparse.Action):
    """Keeps the queries of all modalities in the order in which they were given: weights rely on it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        value: Any,
        option: str | None = None,
    ) -> None:
        namespace.queries = [*(namespace.queries or []), (self.dest, value)]


def parser(prog: str) -> CommandParser:
    p = CommandParser(
        prog,
        "INDEX --text TEXT|--image FILE|... [options]",
        "Search an index by texts and files of any modality. Several queries are added.",
        """
        photos.index --text "a bell" -k 5
        photos.index --image bell.jpg --text snow --weight 1 --weight 0.5
        """,
    )
    p.add("index", type=Path, metavar="INDEX", help="the folder that bind-embed --index wrote")
    p.set_defaults(queries=None)
    queries = p.section("queries")
    for name in MODALITIES:
        what, kind = ("TEXT", "a text") if name == "text" else ("FILE", f"a file of {name}")
        queries(f"--{name}", action=AddQuery, metavar=what, help=f"{kind} to search for")
    queries("--weight", type=float, action="append", default=[], metavar="W",
                         help="weight of each query, in order; default 1; negative steers away")  # fmt: skip
    queries("--bundle", metavar="NAME.bind", help="bundle to use; default: the one that made the index")
    queries("--precision", metavar="P", help=PRECISION_HELP)
    add_item_options(p.section(ITEM_SECTION))
    add_limit_options(p.section(LIMIT_SECTION))
    results = p.section("results")
    results("-k", type=int, default=10, help="number of results (default 10)")
    results("--only", choices=tuple(MODALITIES), help="only results of this modality")
    results("--min-score", type=float, metavar="S", help="only results that score at least this, -1 to 1")
    results("--no-merge", action="store_true", help="neighbouring windows of a recording stay apart")
    results("--clip", type=Path, metavar="DIR", help="cut each window that was found out into a file there")
    p.add_json("print one JSON object for each result")
    return p


def run(args: argparse.Namespace, console: Console) -> None:
    hits = search(args)
    clips, failed = cut_out(hits, args) if args.clip is not None else ({}, [])
    if args.json:
        for rank, hit in enumerate(hits):
            print(json.dumps(as_dict(hit, clips.get(rank)), ensure_ascii=False))
    else:
        Console(emoji=False).print(as_table(hits))
    if failed:
        raise failed[0]


def cut_out(hits: Sequence[Hit], args: argparse.Namespace) -> tuple[dict[int, Path], list[Error]]:
    """The clip of each hit that is a part of a recording; and what went wrong, which stops no other clip."""
    limits = given_limits(args)
    make_folder(args.clip)
    found: dict[int, Path] = {}
    failed: list[Error] = []
    for rank, hit in enumerate(hits):
        try:
            if (path := write_clip(hit, rank + 1, args.clip, limits)) is not None:
                found[rank] = path
        except Error as error:
            failed.append(error)
    return found, failed


def as_dict(hit: Hit, clip: Path | None) -> dict[str, Any]:
    """A result as JSON has it; a part of a recording with its seconds, and with its clip if there is one."""
    span = span_of(hit)
    seconds = {} if span is None else {"start": span[0], "end": span[1]}
    return {**vars(hit), **seconds, **({} if clip is None else {"clip": str(clip)})}


def where(hit: Hit) -> str:
    """An item, and for a part of a recording from when to when."""
    span = span_of(hit)
    return str(hit.id) if span is None else f"{hit.id} {clock(span[0])}\N{EN DASH}{clock(span[1])}"


def best(index: Index, query: Vectors, args: argparse.Namespace) -> list[Hit]:
    """The best results; more windows are looked at until neighbours make as many places as are wanted."""
    wanted = args.k
    while True:
        hits = index.search(query, wanted, args.only, min_score=args.min_score)[0]
        if args.no_merge or all(span_of(hit) is None for hit in hits):
            return hits[: args.k]
        if len(hits) < wanted or len(places(hits, args.k + 1)) > args.k:
            return places(hits, args.k)
        wanted *= _MORE


def search(args: argparse.Namespace) -> list[Hit]:
    queries: list[tuple[str, str]] = args.queries or []
    if not queries:
        raise OptionError("", "nothing to search for", "give --text, --image, --audio, …")
    if args.weight and len(args.weight) != len(queries):
        raise OptionError(
            "--weight", f"{len(args.weight)} weights for {len(queries)} queries", "give one for each, or none"
        )
    options, limits = given_options(args), given_limits(args)
    require_use(options, {modality for modality, _ in queries})
    index = Index.load(args.index, verify=False)  # for one search; it refuses scores that cannot be
    bundle = args.bundle or index.bundle
    if not bundle:
        raise OptionError("", "the index does not say which bundle made it", "add --bundle")
    wanted = sorted({modality for modality, _ in queries})
    # For a query or two, repacking the weights would take longer than it saves.
    with load(
        bundle, precision=args.precision, modalities=cast(Any, wanted), startup="fast-start", limits=limits
    ) as model:
        require_comparable(index.space, model.space, str(bundle))
        items = {m: [as_item(m, v, options) for modality, v in queries if modality == m] for m in wanted}
        found = model.embed(**items)  # type: ignore[arg-type]
    given = args.weight or [1.0] * len(queries)
    weights = {
        m: [w for w, (modality, _) in zip(given, queries, strict=True) if modality == m] for m in wanted
    }
    return best(index, combine(found, weights), args)


def as_table(hits: Sequence[Hit]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("score", justify="right")
    table.add_column("modality")
    table.add_column("item", overflow="fold")
    for hit in hits:
        table.add_row(f"{hit.score:+.3f}", hit.modality, where(hit))
    return table


COMMAND = Command("search", "an index by a text, a file, or a sum of several", parser, run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return COMMAND.main(argv)
