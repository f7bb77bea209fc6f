"""``bind-probe``: labels learned from a folder or a table of examples."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from rich.console import Console

from bindrt.commands.labelled import Example, read_examples
from bindrt.commands.terminal import Command, CommandParser
from bindrt.embeddings import Embeddings
from bindrt.errors import InputError
from bindrt.evaluation.measures import wilson
from bindrt.item_options import as_item
from bindrt.loading import load
from bindrt.modalities import MODALITIES
from bindrt.model import Model
from bindrt.precisions import PRECISION_HELP
from bindrt.preprocess.detection import detect
from bindrt.probe import Probe

#: Parts of the examples of which each is tested once, with what the others teach.
_PARTS = 5


def parser(prog: str) -> CommandParser:
    p = CommandParser(
        prog,
        "NAME.bind EXAMPLES [-o OUT] [options]",
        "Learn labels from examples: a folder with a folder for each label, or a table (.csv, .jsonl, "
        ".parquet) with a path and a label in each row. model.classify(probe=OUT) uses what is written.",
        """
        imagebind.bind birds/
        imagebind.bind sounds.csv --path-column file --label-column class -o sounds.probe
        """,
    )
    p.add("bundle", metavar="NAME.bind", help="the bundle whose vectors are used")
    p.add("examples", type=Path, metavar="EXAMPLES", help="a folder of folders, or a table")
    p.add("-o", "--output", type=Path, metavar="OUT", help="default: beside the bundle, NAME.EXAMPLES.probe")
    examples = p.section("examples")
    examples("--modality", choices=tuple(MODALITIES), metavar="M", help="default: found by content")
    examples("--path-column", default="path", metavar="C", help="of a table: path")
    examples("--label-column", default="label", metavar="C", help="of a table: label")
    examples("--on-error", choices=("raise", "skip"), default="raise", help="examples that cannot be read")
    p.add("--precision", metavar="P", help=PRECISION_HELP)
    p.add_json("print what was learned as JSON")
    return p


def run(args: argparse.Namespace, console: Console) -> None:
    listed = read_examples(args.examples, args.path_column, args.label_column)
    modality = args.modality or _modality(listed)
    with load(args.bundle, precision=cast(Any, args.precision), modalities=cast(Any, [modality])) as model:
        items: Any = {modality: [as_item(modality, each.source, {}) for each in listed]}
        found = model.embed(**items, on_error=args.on_error)
        output = args.output or _beside(model, args.examples)
    labels = [each.label for each in listed]
    probe = Probe.fit(found, labels)
    probe.save(output)
    told = {
        "output": str(output),
        "labels": list(probe.labels),
        "space": probe.space,
        "examples": len(listed),
    }
    told |= {"modality": modality, "failed": len(found.errors), **_tested(found, labels)}
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
        return
    out = Console(emoji=False, highlight=False, markup=False, soft_wrap=True)
    out.print(f"{output}: {len(probe.labels)} labels from {len(listed)} examples of {modality}")
    if "right" in told:
        out.print(
            f"tested on examples that it had not learned: {told['right']:.1f} % right "
            f"({told['low']:.1f} to {told['high']:.1f})"
        )


def _modality(examples: Sequence[Example]) -> str:
    found = detect(examples[0].source)
    if found is None:
        raise InputError(examples[0].source, "its modality cannot be told", "add --modality")
    return found


def _beside(model: Model, examples: Path) -> Path:
    """A file beside the bundle; in this folder for the bundle that bindrt brings."""
    bundle = model.bundle.path
    shipped = Path(__file__).resolve().parent.parent / "data"
    folder = Path() if bundle.resolve().parent == shipped else bundle.parent
    return folder / f"{bundle.stem}.{examples.resolve().stem}.probe"


def _tested(found: Embeddings, labels: Sequence[str]) -> dict[str, float]:
    """How well each part of the examples is told by what the others teach.

    Nothing if a label has one example alone.
    """
    (rows,) = found.values()
    said = np.array(labels)
    good = np.isfinite(rows).all(axis=1)
    part = np.zeros(len(said), np.int64)
    for label in set(labels):
        those = np.flatnonzero((said == label) & good)
        if len(those) < 2:
            return {}
        part[those] = np.arange(len(those)) % _PARTS
    right = count = 0
    for each in sorted(set(part[good].tolist())):
        test, learn = good & (part == each), good & (part != each)
        probe = Probe.fit(_some(found, learn), said[learn].tolist())
        best = probe.probabilities(_some(found, test)).argmax(axis=1)
        right += int((np.array(probe.labels)[best] == said[test]).sum())
        count += int(test.sum())
    low, high = wilson(right, count)
    return {"right": 100 * right / count, "low": 100 * low, "high": 100 * high}


def _some(found: Embeddings, rows: Any) -> Embeddings:
    ((modality, vectors),) = found.items()
    return Embeddings({modality: vectors[rows]}, found.space, found.normalized)


COMMAND = Command("probe", "labels learned from a folder or a table of examples", parser, run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return COMMAND.main(argv)
