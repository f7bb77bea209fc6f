"""``python -m bench embed``: ``Model.embed`` beside ``submit`` and ``stream``, and texts grouped by length.

With bind-tiny, or the bundle given. All alternatives take turns.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import bindrt
from bench import measure
from bindrt import batching
from bindrt.preprocess import prepare

INPUTS = Path(__file__).resolve().parent.parent / "tests" / "golden" / "inputs"
FILES = {"image": INPUTS / "image" / "photo.webp", "audio": INPUTS / "audio" / "short_8k.wav"}
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


def nothing_ahead(embedder: batching.Embedder, items: Sequence[object]) -> int:
    return 0


def ways(model: bindrt.Model, modality: str, items: Sequence[object]) -> dict[str, Callable[[], object]]:
    given = list(items)

    def in_turn() -> object:
        usual = batching.Embedder._ahead
        batching.Embedder._ahead = nothing_ahead  # type: ignore[method-assign]
        try:
            return model.embed(**{modality: given})  # type: ignore[arg-type]
        finally:
            batching.Embedder._ahead = usual  # type: ignore[method-assign]

    return {
        "embed": lambda: model.embed(**{modality: given}),  # type: ignore[arg-type]
        "prepare, then run": in_turn,
        "submit": lambda: [f.result() for f in [model.submit(modality, item) for item in given]],
        "stream": lambda: list(model.stream(modality, given)),
    }


def compare(model: bindrt.Model, counts: Sequence[int], rounds: int) -> dict[str, Any]:
    """Milliseconds of a list through each door, prepared and from files."""
    found: dict[str, Any] = {}
    for modality in (m for m in ("image", "audio", "text") if m in model.modalities):
        source = FILES.get(modality, "a photograph of a small dog")
        ready = bindrt.Prepared(np.asarray(prepare(modality, source).array))
        for kind, item in (("prepared", ready), ("file" if modality in FILES else "string", source)):
            for count in counts:
                timed = measure.interleaved(ways(model, modality, [item] * count), rounds)
                found[f"{modality}, {kind}, {count}"] = {n: t.median * 1e3 for n, t in timed.items()}
    return found


def grouping(model: bindrt.Model, counts: Sequence[int], rounds: int) -> dict[str, Any]:
    """Milliseconds of texts in the caller's order and grouped, with several prices of a call."""

    def embed(texts: list[str], tokens: int | None) -> Callable[[], object]:
        def run() -> object:
            usual = batching.by_length
            grouped = in_order if tokens is None else partial(usual, call=tokens)
            batching.by_length = grouped  # type: ignore[assignment]
            try:
                return model.embed(text=texts)
            finally:
                batching.by_length = usual

        return run

    prices = {"in order": None, **{f"call of {n} tokens": n for n in (0, 16, 64, 256, 1024)}}
    return {
        str(count): {
            name: timing.median * 1e3
            for name, timing in measure.interleaved(
                {name: embed(captions(count), price) for name, price in prices.items()}, rounds
            ).items()
        }
        for count in counts
    }


def in_order(batch: batching.Batch, most: int) -> list[batching.Batch]:
    return [batch.of(range(i, min(i + most, len(batch.rows)))) for i in range(0, len(batch.rows), most)]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench embed", description=__doc__)
    parser.add_argument("--bundle", default="tiny")
    parser.add_argument("--modality", action="append", help="default: all")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 16, 256])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    result: dict[str, Any] = {"machine": measure.machine(), "bundle": Path(args.bundle).name}
    with bindrt.load(args.bundle, modalities=args.modality) as model:
        model.warm_up()
        result["milliseconds"] = compare(model, args.counts, args.rounds)
        result["texts"] = grouping(model, args.counts, args.rounds) if "text" in model.modalities else {}
    print(f"{result['machine']['cpu']}, load {result['machine']['load_before']:.1f}; milliseconds")
    for part in ("milliseconds", "texts"):
        for what, found in result[part].items():
            print(f"{what:<26}" + "   ".join(f"{name} {value:.4g}" for name, value in found.items()))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0
