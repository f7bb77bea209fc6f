"""``Model.embed`` beside ``submit`` and ``stream``, and texts grouped by length; all take turns."""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import bindrt
from bindrt.batching import by_length
from bindrt.benchmark import made_inputs
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json
from bindrt.benchmark.timing import interleaved
from bindrt.modalities import Tokens
from bindrt.preprocess import prepare
from bindrt.preprocess import text as tokens_of

#: Which texts go together, and how many tokens their longest has, from the number of tokens of each.
Grouping = Callable[[np.ndarray], Iterable[tuple[np.ndarray, int]]]
WORDS = (
    "a",
    "small",
    "red",
    "dog",
    "on",
    "the",
    "long",
    "road",
    "near",
    "two",
    "old",
    "houses",
    "at",
    "night",
)


def captions(count: int) -> list[str]:
    """Texts as captions are: most short, some long."""
    rng = random.Random(0)
    return [" ".join(rng.choices(WORDS, k=min(2 + int(rng.expovariate(1 / 9)), 60))) for _ in range(count)]


def ready(modality: str, item: object) -> bindrt.Prepared:
    return bindrt.Prepared(np.asarray(prepare(modality, item).array))


def alternatives(model: bindrt.Model, modality: str, given: list[object]) -> dict[str, Callable[[], object]]:
    def embed(items: list[object]) -> object:
        return model.embed(**{modality: items})  # type: ignore[arg-type]

    return {
        "embed": lambda: embed(given),
        "prepare, then run": lambda: embed([ready(modality, item) for item in given]),
        "submit": lambda: [f.result() for f in [model.submit(modality, item) for item in given]],
        "stream": lambda: list(model.stream(modality, given)),
    }


def compare(model: bindrt.Model, counts: Sequence[int], rounds: int) -> dict[str, Any]:
    """Milliseconds of a list in each way, prepared and from files."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        modalities = [m for m in ("image", "audio", "text") if m in model.modalities]
        for modality, (source, *_) in made_inputs.make(modalities, Path(folder)).items():
            kinds = {"prepared": ready(modality, source), "string" if modality == "text" else "file": source}
            for kind, item in kinds.items():
                for count in counts:
                    timed = interleaved(alternatives(model, modality, [item] * count), rounds)
                    found[f"{modality}, {kind}, {count}"] = {n: t.median * 1e3 for n, t in timed.items()}
    return found


def grouping(model: bindrt.Model, counts: Sequence[int], rounds: int) -> dict[str, Any]:
    """Milliseconds of tokenized texts in the caller's order and grouped, with several prices of a call."""
    engine = model.engine("text")

    def in_order(lengths: np.ndarray) -> Iterable[tuple[np.ndarray, int]]:
        for start in range(0, len(lengths), engine.max_batch):
            rows = np.arange(start, min(start + engine.max_batch, len(lengths)))
            yield rows, int(lengths[rows].max())

    def run(ids: np.ndarray, groups: Grouping) -> None:
        for rows, length in groups(Tokens.used(ids)):
            chunk = np.ascontiguousarray(ids[rows, :length])
            engine.run(chunk, np.empty((len(chunk), model.embed_dim), np.float32))

    groupings: dict[str, Grouping] = {"in order": in_order}
    for tokens in (0, 16, 64, 256, 1024):
        groupings[f"call of {tokens} tokens"] = partial(by_length, most=engine.max_batch, call=tokens)
    found = {}
    for count in counts:
        ids = tokens_of(captions(count))
        timed = interleaved({name: partial(run, ids, groups) for name, groups in groupings.items()}, rounds)
        found[str(count)] = {name: timing.median * 1e3 for name, timing in timed.items()}
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench embed", description=__doc__)
    parser.add_argument("--bundle", default="tiny")
    parser.add_argument("--modality", action="append", help="default: all")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 16, 256])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    result: dict[str, Any] = {"machine": describe_machine(), "bundle": Path(args.bundle).name}
    with bindrt.load(args.bundle, modalities=args.modality) as model:
        model.warm_up()
        result["milliseconds"] = compare(model, args.counts, args.rounds)
        result["texts"] = grouping(model, args.counts, args.rounds) if "text" in model.modalities else {}
    print(f"{result['machine']['cpu']}, load {result['machine']['load_before']:.1f}; milliseconds")
    for part in ("milliseconds", "texts"):
        for what, found in result[part].items():
            print(f"{what:<26}" + "   ".join(f"{name} {value:.4g}" for name, value in found.items()))
    if args.json:
        write_json(args.json, result)
    return 0
