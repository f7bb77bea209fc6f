"""The scores as Markdown, set into the model card between its two marks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.quality import run, scenes

BEGIN, END = "<!-- scores: python -m bench quality --card -->", "<!-- /scores -->"


def write(card: Path, found: dict[str, Any]) -> None:
    """Replaces what stands between the marks.

    Raises:
        ValueError: the card has no marks.
    """
    text = card.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{card.name} has no {BEGIN} … {END}")
    body = "\n".join(lines(found))
    card.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", "utf-8")


def score(found: dict[str, float]) -> str:
    return f"{found['value']:.0%} ({found['low']:.0%}–{found['high']:.0%})"


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def head(*cells: str) -> list[str]:
    return [row(*cells), "|---" * len(cells) + "|"]


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Pairs as tables of query by item, then each modality's own scores with intervals."""
    for split, what in (
        ("test", "unseen seeds"),
        ("shifted", "sizes, speeds and distances outside training's ranges"),
    ):
        by_pair = {(p["query"], p["item"]): p for p in found[split]["pairs"]}
        for measure, name in (("class_accuracy", "Class accuracy"), ("recall_at_1", "Recall@1")):
            count = by_pair["image", "text"][measure]["count"]
            chance = found["chance"]["class"] if measure == "class_accuracy" else 1 / count
            yield ""
            yield f"**{name}, {what}** (chance {chance:.1%}; bold: emergent pairs)"
            yield ""
            yield from head("query \\ item", *scenes.MODALITIES)
            for a in scenes.MODALITIES:
                yield row(a, *(cell(by_pair.get((a, b)), measure) for b in scenes.MODALITIES))
    yield from single(found)


def cell(pair: dict[str, Any] | None, measure: str) -> str:
    if pair is None:
        return ""
    value = f"{pair[measure]['value']:.0%}"
    return f"**{value}**" if pair["emergent"] else value


def single(found: dict[str, Any]) -> Iterator[str]:
    """Zero-shot, the supervised bound, few-shot probes, composition; 95 % intervals in brackets."""
    yield ""
    yield f"**By modality** (95 % intervals; chance {found['chance']['class']:.0%})"
    yield ""
    yield from head("", "zero-shot by text", "the same, shifted", "supervised bound")
    for m in scenes.MODALITIES:
        yield row(
            m,
            score(found["test"]["zero_shot"][m]),
            score(found["shifted"]["zero_shot"][m]),
            score(found["supervised"][m]),
        )
    yield ""
    yield "**Linear probe on a few examples of each kind: our vectors / plain features**"
    yield ""
    yield from head("", *(f"{s}" for s in run.SHOTS), "plain features are")
    for m, by_shots in found["few_shot"].items():
        cells = (by_shots[str(s)] for s in run.SHOTS)
        yield row(
            m,
            *(f"{c['embedding']['value']:.0%} / {c['baseline']['value']:.0%}" for c in cells),
            by_shots["baseline_is"],
        )
    parts = found["composition"]
    yield ""
    yield (
        f"**Composition**: picture of one event + sound of another find the picture that has both, among "
        f"{parts['images']} (chance {parts['chance']:.1%}): {score(parts['image+audio'])}; the picture alone "
        f"{score(parts['image alone'])}, the sound alone {score(parts['audio alone'])}."
    )
