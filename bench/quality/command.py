"""What a bundle of bind-tiny knows of scenes it has never seen, and what it lost since an earlier result."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.paths import ROOT
from bench.quality import card, run, scenes
from bindrt.benchmark.results import write_json
from tiny.table import new_table

RESULT = ROOT / "examples" / "tiny" / "weights" / "scores.json"


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 if a score is lost by more than ``--allow`` points."""
    parser = argparse.ArgumentParser(prog="python -m bench quality", description=__doc__)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--precision", help="what is computed in, as load takes it; default: the bundle's")
    parser.add_argument(
        "--pairs",
        type=Path,
        metavar="DIR",
        help="only write the unseen scenes as bind-export --pairs reads them",
    )
    parser.add_argument(
        "--against", type=Path, default=RESULT, help="an earlier result; default: the shipped one"
    )
    parser.add_argument("--allow", type=float, default=1.0, help="points of the mean that may be lost (1.0)")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--card", type=Path, metavar="README", help="a model card to set the scores into")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "quality", help="the rendered scenes")
    args = parser.parse_args(arguments)
    console = Console(emoji=False)
    if args.pairs:
        scenes.write_pairs(args.pairs, args.work / "test", run.A_KIND["test"])
        return 0
    if not args.bundle:
        parser.error("--bundle NAME.bind is needed")
    found = run.measure(
        args.bundle,
        args.work,
        lambda text: console.print(text, highlight=False),
        args.engine,
        args.precision,
    )
    show(console, found)
    if args.json:
        write_json(args.json, found)
    if args.card:
        card.write(args.card, found)
    if args.against.exists():
        lost = show_losses(console, found, json.loads(args.against.read_text("utf-8")))
        return int(lost > args.allow)
    return 0


def percent(score: dict[str, float]) -> str:
    return f"{score['value']:.0%} [dim]{score['low']:.0%}–{score['high']:.0%}[/]"


def show(console: Console, found: dict[str, Any]) -> None:
    for split in ("test", "shifted"):
        title = {"test": "unseen seeds", "shifted": "unseen sizes, speeds and distances"}[split]
        by_pair = {(p["query"], p["item"]): p for p in found[split]["pairs"]}
        for measure in ("class_accuracy", "recall_at_1"):
            table = new_table(f"{measure} on {title} (* emergent)", "query \\ item", *scenes.MODALITIES)
            for a in scenes.MODALITIES:
                cells = []
                for b in scenes.MODALITIES:
                    pair = by_pair.get((a, b))
                    mark = "*" if pair and pair["emergent"] else ""
                    cells.append("" if pair is None else f"{pair[measure]['value']:.0%}{mark}")
                table.add_row(a, *cells)
            console.print(table)
    table = new_table(
        f"class accuracy (chance {found['chance']['class']:.0%})",
        "",
        "zero-shot by text",
        "the same, shifted",
        "supervised bound",
    )
    for m in scenes.MODALITIES:
        table.add_row(
            m,
            percent(found["test"]["zero_shot"][m]),
            percent(found["shifted"]["zero_shot"][m]),
            percent(found["supervised"][m]),
        )
    console.print(table)
    table = new_table(
        "few-shot class accuracy: ours / baseline", "", *(f"{s} a kind" for s in run.SHOTS), "baseline"
    )
    for m, by_shots in found["few_shot"].items():
        cells = [
            f"{by_shots[str(s)]['embedding']['value']:.0%} / {by_shots[str(s)]['baseline']['value']:.0%}"
            for s in run.SHOTS
        ]
        table.add_row(m, *cells, by_shots["baseline_is"])
    console.print(table)
    parts = found["composition"]
    console.print(
        f"composition, {parts['images']} images of two events (chance {parts['chance']:.1%}): "
        + ", ".join(f"{n} {percent(parts[n])}" for n in ("image+audio", "image alone", "audio alone"))
    )


def show_losses(console: Console, found: dict[str, Any], before: dict[str, Any]) -> float:
    """The mean loss in points; the ten scores that lost most are listed."""
    theirs = dict(run.flat(before))
    losses = {name: 100 * (theirs[name] - value) for name, value in run.flat(found) if name in theirs}
    mean = sum(losses.values()) / len(losses)
    worst = sorted(losses.items(), key=lambda item: -item[1])[:10]
    what = f"{before['precision']} ({before['space']})"
    console.print(f"against {what}: mean loss {mean:+.2f} points of {len(losses)} scores")
    for name, loss in worst:
        if loss > 0:
            console.print(f"  {loss:+6.1f}  {name}", highlight=False)
    return mean
