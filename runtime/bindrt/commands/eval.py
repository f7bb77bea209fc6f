"""``bind-eval``: what a bundle knows, by the protocols of ImageBind's paper."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from bindrt.cache import cache_folder
from bindrt.commands.progress import progress_bar
from bindrt.commands.terminal import Command, CommandParser
from bindrt.errors import OptionError, SourceError
from bindrt.evaluation.datasets import DATASETS, find
from bindrt.evaluation.ib_score import IbScore, ib_score
from bindrt.evaluation.page import page
from bindrt.evaluation.protocols.linear_probe import SHOTS
from bindrt.evaluation.results import Report
from bindrt.evaluation.run import PROTOCOLS, Request, compared, evaluate, read
from bindrt.evaluation.tables import tables
from bindrt.evaluation.vectors import VectorStore
from bindrt.loading import load
from bindrt.model import Model
from bindrt.precisions import PRECISION_HELP
from bindrt.templates import NAMED, chosen_templates

_IB_SCORE = "ib-score"


def parser(prog: str) -> CommandParser:

    p = CommandParser(
        prog,
        "NAME.bind TASK DIR [options] | ib-score VIDEOS SOUNDS --bundle NAME.bind",
        "Judge a bundle on a copy of a data set, as ImageBind's paper does. A score stands with its 95 % "
        f"interval beside the published one. Tasks: {', '.join(DATASETS)}; ib-score for two folders.",
        """
        imagebind.bind esc50 ESC-50-master --html esc50.html
        imagebind.bind esc50 ESC-50-master --against imagebind-int8.bind
        ib-score videos/ sounds/ --bundle imagebind.bind
        """,
    )
    p.add("words", nargs="+", metavar="NAME.bind TASK DIR", help="the bundle, the data set, its folder")
    asked = p.section("what is asked")
    asked("--protocol", action="append", default=[], choices=PROTOCOLS, help="default: the paper's")
    asked("--shots", type=int, nargs="+", metavar="K", help="linear-probe: examples of each class; 1 2 4 8")
    asked("--templates", default="imagenet", metavar="NAME|FILE",
          help="sentences for classes: imagenet (CLIP's 80), plain, or a file, one a line")  # fmt: skip
    asked("--weight", action="append", default=[], metavar="M=W",
          help="weight of a modality in the sum that an item is, for example video=0.9")  # fmt: skip
    asked("--partial", action="store_true", help="leave out items whose files are missing")
    asked("--on-error", choices=("raise", "skip"), default="raise", help="items that cannot be read; raise")
    models = p.section("bundles")
    models("--bundle", metavar="NAME.bind", help="the bundle, if it is not the first word")
    models("--against", metavar="OTHER.bind", help="another bundle: how much better is it?")
    models("--precision", metavar="P", help=PRECISION_HELP)
    models("--against-precision", metavar="P", help="the same for the other bundle")
    models("--engine", default="auto", metavar="NAME", help="default: auto")
    models("--cache", type=Path, metavar="DIR", help="folder for vectors; default: the user's cache")
    models("--no-cache", action="store_true", help="keep no vectors")
    results = p.section("results")
    results("--html", type=Path, metavar="OUT", help="write a page with confusions and worst cases")
    # Not add_json: it names a file, as for bind-bench.
    results("--json", type=Path, metavar="OUT", help="write the result as JSON; - prints it")
    return p


def run(args: argparse.Namespace, console: Console) -> None:
    bundle, task, folders = words(args.words, args.bundle)
    if task == _IB_SCORE:
        _run_ib_score(args, bundle, folders, console)
    else:
        _run_dataset(args, bundle, task, folders[0], console)


def words(given: Sequence[str], bundle: str | None) -> tuple[str, str, list[Path]]:
    """The bundle, the task and its folders, however they are given.

    Raises:
        OptionError: words are missing, or there are too many.
    """

    tasks = (*DATASETS, _IB_SCORE)
    listed = list(given)
    if bundle is None and listed[0] not in tasks:
        bundle = listed.pop(0)
    if bundle is None:
        raise OptionError("", "no bundle is named", f"NAME.bind {' '.join(listed)}")
    task, *folders = listed or [""]
    wanted = 2 if task == _IB_SCORE else 1
    if task not in tasks:
        raise OptionError(repr(task[:60]), "there is no such task", f"one of {', '.join(tasks)}")
    if len(folders) != wanted:
        what = "VIDEOS SOUNDS" if wanted == 2 else "the folder of the data set"
        raise OptionError(task, f"{len(folders)} folders given", f"give {what}")
    return bundle, task, [Path(folder) for folder in folders]


def _run_dataset(args: argparse.Namespace, bundle: str, task: str, folder: Path, console: Console) -> None:

    dataset, request = find(task), _request(args)
    content, left_out = read(dataset, folder, args.partial)
    reports = []
    for name, precision in _bundles(args, bundle):
        with _store(args, name, precision, console) as (model, store):
            reports.append(evaluate(model, dataset, content, store, request, left_out))
    report = reports[0] if len(reports) == 1 else compared(*reports)
    if args.json is None or str(args.json) != "-":
        for table in tables(report):
            Console(emoji=False).print(table)
        for note in report.notes:
            Console(emoji=False, stderr=True).print(note, style="dim", highlight=False)
    _write(args, report)


def _request(args: argparse.Namespace) -> Request:
    shots = tuple(args.shots or SHOTS)
    if min(shots) < 1:
        raise OptionError("--shots", f"{min(shots)} examples teach nothing", "give whole numbers from 1 on")
    return Request(tuple(args.protocol), shots, _templates(args.templates), _weights(args.weight))


def _templates(given: str) -> tuple[str, ...]:

    if given in NAMED:
        return chosen_templates(given)
    try:
        lines = Path(given).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(given, f"it cannot be read ({error})", f"or name {' or '.join(NAMED)}") from None
    return chosen_templates([line.strip() for line in lines if line.strip()])


def _weights(given: Sequence[str]) -> dict[str, float]:
    found = {}
    for word in given:
        modality, equals, number = word.partition("=")
        try:
            found[modality] = float(number) if equals else float("nan")
        except ValueError:
            found[modality] = float("nan")
        if not abs(found[modality]) < float("inf"):
            raise OptionError(f"--weight {word}", "not a modality with its weight", "for example video=0.5")
    return found


def _bundles(args: argparse.Namespace, bundle: str) -> list[tuple[str, str | None]]:
    other = args.against or (bundle if args.against_precision else None)
    found = [(bundle, args.precision)]
    return [*found, (other, args.against_precision)] if other else found


@contextmanager
def _store(
    args: argparse.Namespace, bundle: str, precision: str | None, console: Console
) -> Iterator[tuple[Model, VectorStore]]:

    folder = None if args.no_cache else args.cache or cache_folder("evaluation")
    with load(bundle, engine=args.engine, precision=cast(Any, precision)) as model:
        with progress_bar(console, None) as told:
            store = VectorStore(model, folder, args.on_error, told)
            yield model, store
        for name, problem in list(store.failed.items())[:10]:
            console.print(f"{name}: {problem}", style="dim", highlight=False, markup=False)


def _run_ib_score(args: argparse.Namespace, bundle: str, folders: Sequence[Path], console: Console) -> None:

    with _store(args, bundle, args.precision, console) as (model, store):
        found = ib_score(store, *folders)
    if str(args.json) == "-":
        print(json.dumps(_ib_json(found, model.space)))
        return
    out = Console(emoji=False, highlight=False)
    out.print(
        f"IB-Score {found.value:.4f} ({found.low:.4f} to {found.high:.4f}) of {len(found.cosines)} pairs"
    )
    if count := len(found.unpaired):
        files = "file has" if count == 1 else "files have"
        console.print(f"{count} {files} no partner: {', '.join(found.unpaired[:5])}", style="dim")
    if args.json is not None:
        _write_text(args.json, json.dumps(_ib_json(found, model.space), indent=1))


def _ib_json(found: IbScore, space: str) -> dict[str, Any]:
    return {"task": _IB_SCORE, "space": space, **vars(found), "unpaired": list(found.unpaired)}


def _write(args: argparse.Namespace, report: Report) -> None:

    if args.json is not None:
        text = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
        print(text) if str(args.json) == "-" else _write_text(args.json, text)
    if args.html is not None:
        _write_text(args.html, page(report))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text.rstrip("\n") + "\n", "utf-8")


COMMAND = Command("eval", "a bundle judged on data sets, as the paper does", parser, run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return COMMAND.main(argv)
