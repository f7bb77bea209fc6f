"""Which class is an item of? Its vector is compared with those of the classes' names in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Vectors
from bindrt.evaluation.measures import mean_average_precision, mean_of, wilson
from bindrt.evaluation.results import Case, Found, Score, resampled_score
from bindrt.evaluation.sets import Labelled
from bindrt.evaluation.vectors import VectorStore, good_rows

NAME = "zero-shot"
#: Wrong answers that a report lists.
WORST = 20


def evaluate(content: Labelled, store: VectorStore, templates: Sequence[str]) -> Found:
    """Top-1, and the mean average precision where items have several classes."""
    vectors = store(content.entries)
    rows = list(good_rows(vectors))
    near = nearness(content, vectors[rows], store, templates)
    truth = truth_table([content.truth[row] for row in rows], len(content.classes))
    right = truth[np.arange(len(rows)), near.argmax(axis=1)]
    scores = [top1(right, [content.folds[row] for row in rows] if content.folds else ())]
    if content.measure == "mAP":
        scores.insert(0, resampled_score("mAP", mean_average_precision(near, truth), len(rows)))
    names = tuple(choice.name for choice in content.classes)
    single = bool((truth.sum(axis=1) == 1).all())
    return Found(
        NAME,
        tuple(scores),
        names if single else (),
        confusion(truth.argmax(axis=1), near.argmax(axis=1), len(names)) if single else None,
        worst_cases(content, rows, near, truth),
    )


def nearness(
    content: Labelled, vectors: Vectors, store: VectorStore, templates: Sequence[str]
) -> npt.NDArray[np.float32]:
    """The cosine of each item with each class, ``[items, classes]``: with the nearest of its texts."""
    texts = [text for choice in content.classes for text in choice.texts]
    begins = np.cumsum([0, *(len(choice.texts) for choice in content.classes)])[:-1]
    cosines = vectors @ store.labels(texts, templates).T
    return np.asarray(np.maximum.reduceat(cosines, begins, axis=1), np.float32)


def truth_table(truth: Sequence[frozenset[int]], classes: int) -> npt.NDArray[np.bool_]:
    """Which classes each item has, ``[items, classes]``."""
    table = np.zeros((len(truth), classes), np.bool_)
    for row, those in enumerate(truth):
        table[row, list(those)] = True
    return table


def top1(right: npt.NDArray[np.bool_], folds: Sequence[int] = (), measure: str = "top-1") -> Score:
    """The share of right answers; with folds the mean over them."""
    score = mean_of(right, folds)
    low, high = wilson(int(right.sum()), len(right))
    value = score(np.ones(len(right)))
    return Score(measure, 100 * value, 100 * low, 100 * high, len(right), "Wilson", score)


def confusion(
    truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64], classes: int
) -> npt.NDArray[np.int64]:
    """How often an item of each class (row) was called each class (column)."""
    found = np.bincount(truth * classes + said, minlength=classes * classes)
    return found.reshape(classes, classes)


def worst_cases(
    content: Labelled, rows: Sequence[int], near: npt.NDArray[np.float32], truth: npt.NDArray[np.bool_]
) -> tuple[Case, ...]:
    """The items whose right class is farthest behind the class that was said."""
    best = np.where(truth, near, -np.inf)
    margins = best.max(axis=1) - near.max(axis=1)
    order = [at for at in np.argsort(margins, kind="stable")[:WORST].tolist() if margins[at] < 0]
    return tuple(
        Case(
            content.entries[rows[at]].name,
            content.classes[int(near[at].argmax())].name,
            content.classes[int(best[at].argmax())].name,
            float(margins[at]),
            content.entries[rows[at]].source,
        )
        for at in order
    )
