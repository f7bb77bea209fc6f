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
from bindrt.commands.item_options import SECTION as ITEM_SECTION
from bindrt.commands.item_options import add_item_options, as_item, given_options, require_use
from bindrt.commands.limit_options import SECTION as LIMIT_SECTION
from bindrt.commands.limit_options import add_limit_options, given_limits
from bindrt.commands.terminal import Command, CommandParser
from bindrt.errors import OptionError
from bindrt.index import Hit, Index, combine
from bindrt.loading import load
from bindrt.modalities import MODALITIES
from bindrt.precisions import PRECISION_HELP


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
    p.add_json("print one JSON object for each result")
    return p


def run(args: argparse.Namespace, console: Console) -> None:
    hits = search(args)
    if args.json:
        for hit in hits:
            print(json.dumps(vars(hit), ensure_ascii=False))
    else:
        Console(emoji=False).print(as_table(hits))


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
    return index.search(combine(found, weights), args.k, args.only, min_score=args.min_score)[0]


def as_table(hits: Sequence[Hit]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("score", justify="right")
    table.add_column("modality")
    table.add_column("item", overflow="fold")
    for hit in hits:
        table.add_row(f"{hit.score:+.3f}", hit.modality, str(hit.id))
    return table


COMMAND = Command("search", "an index by a text, a file, or a sum of several", parser, run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return COMMAND.main(argv)
