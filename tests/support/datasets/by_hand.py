"""The right scores of a small copy of a data set, by plain loops over what ``embed`` gives.

Nothing of bindrt.evaluation is used here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import bindrt
from support.datasets.made import Made

Vector = list[float]


def embedded(model: bindrt.Model, modality: str, items: list[Any]) -> list[Vector]:
    arguments: Any = {modality: items}
    found: list[Vector] = model.embed(**arguments)[modality].astype(float).tolist()
    return found


def cosine(a: Vector, b: Vector) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / (length(a) * length(b))


def length(a: Vector) -> float:
    return math.sqrt(sum(x * x for x in a))


def mean_direction(vectors: list[Vector]) -> Vector:
    units = [[x / length(v) for x in v] for v in vectors]
    total = [sum(column) for column in zip(*units, strict=True)]
    return [x / length(total) for x in total]


def nearness(model: bindrt.Model, made: Made, templates: Sequence[str]) -> list[dict[str, float]]:
    """How near each item is to each class."""
    items = embedded(model, made.modality, made.items)
    classes = {}
    for name, texts in made.classes.items():
        classes[name] = [
            mean_direction(embedded(model, "text", [t.replace("{}", text) for t in templates]))
            for text in texts
        ]
    return [
        {name: max(cosine(item, vector) for vector in vectors) for name, vectors in classes.items()}
        for item in items
    ]


def top1(made: Made, near: list[dict[str, float]]) -> float:
    """Per cent of items whose nearest class is right; with folds the mean of the folds' shares."""
    right = [max(n, key=lambda name: n[name]) in truth for n, truth in zip(near, made.truth, strict=True)]
    folds = made.folds or [0] * len(right)
    shares = []
    for fold in sorted(set(folds)):
        answers = [r for r, f in zip(right, folds, strict=True) if f == fold]
        shares.append(sum(answers) / len(answers))
    return 100 * sum(shares) / len(shares)


def mean_average_precision(made: Made, near: list[dict[str, float]]) -> float:
    """Per cent: for each class the mean, over its items, of the precision among all that are as near."""
    found = []
    for name in made.classes:
        those = [at for at, truth in enumerate(made.truth) if name in truth]
        if not those:
            continue
        total = 0.0
        for at in those:
            before = [i for i in range(len(near)) if near[i][name] >= near[at][name]]
            total += sum(name in made.truth[i] for i in before) / len(before)
        found.append(total / len(those))
    return 100 * sum(found) / len(found)


def ranks(model: bindrt.Model, made: Made, seen: float = 1.0, heard: float = 0.0) -> list[int]:
    """How many items are before the right one, for each text; items are sums of what is seen and heard."""
    items = embedded(model, made.modality, made.items) if seen else [[0.0]] * len(made.items)
    vectors = [[seen * x for x in item] for item in items]
    if heard:
        there = [at for at, sound in enumerate(made.sounds) if sound is not None]
        sounds = embedded(model, "audio", [made.sounds[at] for at in there])
        silent = [0.0] * len(sounds[0])
        by_item = [silent] * len(items)
        for at, sound in zip(there, sounds, strict=True):
            by_item[at] = [heard * x for x in sound]
        vectors = [
            [x + y for x, y in zip(v if seen else silent, s, strict=True)]
            for v, s in zip(vectors, by_item, strict=True)
        ]
    found = []
    for at, texts in enumerate(made.truth):
        for text in embedded(model, "text", list(texts)):
            scores = [cosine(text, v) if length(v) else 0.0 for v in vectors]
            found.append(sum(score >= scores[at] for score in scores) - 1)
    return found


def recall(found: list[int], k: int) -> float:
    """Per cent of texts with their item among the nearest ``k``."""
    return 100 * sum(rank < k for rank in found) / len(found)
