"""What a linear layer on frozen vectors learns from one, two, four or eight examples of each class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Vectors
from bindrt.errors import InputError, OptionError
from bindrt.evaluation.measures import mean_of
from bindrt.evaluation.results import Found, resampled_score
from bindrt.evaluation.sets import Labelled
from bindrt.evaluation.vectors import VectorStore, good_rows
from bindrt.linear import Linear

NAME, NAME_ADAMW = "linear-probe", "linear-probe-adamw"
SHOTS = (1, 2, 4, 8)
#: Which examples are drawn matters with so few: the score is the mean over this many drawings.
DRAWS = 5


#: Learns from vectors ``[N, D]`` and their classes ``[N]``; the last argument is the drawing's number.
Learn = Callable[[Vectors, npt.NDArray[np.int64], int], Linear]


def evaluate(
    name: str, content: Labelled, store: VectorStore, learn: Learn, shots: Sequence[int] = SHOTS
) -> Found:
    """Top-1 for each number of examples; the mean over drawings, and over folds where there are some.

    Args:
        name: the protocol's.

    Raises:
        OptionError: there is nothing to learn from, or items have several classes.
    """
    if any(len(those) != 1 for those in (*content.truth, *content.training_truth)):
        raise OptionError(f"--protocol {name}", "items have several classes", "take zero-shot")
    if not content.training and not content.folds:
        raise OptionError(f"--protocol {name}", "there is no training part", "take zero-shot")
    truth = np.array([min(those) for those in content.truth])
    vectors = store(content.entries)
    rows = list(good_rows(vectors))
    scores = []
    for k in shots:
        right = np.zeros((DRAWS, len(truth)))
        for draw in range(DRAWS):
            for test, examples, labels in _parts(content, truth, vectors, store, k, draw):
                right[draw, test] = learn(examples, labels, draw).predict(vectors[test]) == truth[test]
        folds = [content.folds[row] for row in rows] if content.folds else ()
        scores.append(resampled_score(f"top-1 k={k}", mean_of(right.mean(axis=0)[rows], folds), len(rows)))
    return Found(name, tuple(scores))


def _parts(
    content: Labelled, truth: npt.NDArray[np.int64], vectors: Vectors, store: VectorStore, k: int, draw: int
) -> Iterator[tuple[npt.NDArray[np.int64], Vectors, npt.NDArray[np.int64]]]:
    """What is tested, and the vectors and classes of the examples for it: a part for each fold."""
    good = np.isfinite(vectors).all(axis=1)
    if content.training:
        of = np.array([min(those) for those in content.training_truth])
        chosen = drawn(of, np.ones(len(of), bool), k, draw)
        examples = store([content.training[row] for row in chosen])
        kept = list(good_rows(examples))
        yield np.flatnonzero(good), examples[kept], of[chosen][kept]
        return
    folds = np.array(content.folds)
    for fold in sorted(set(content.folds)):
        chosen = drawn(truth, good & (folds != fold), k, draw)
        yield np.flatnonzero(good & (folds == fold)), vectors[chosen], truth[chosen]


def drawn(
    truth: npt.NDArray[np.int64], may: npt.NDArray[np.bool_], k: int, draw: int
) -> npt.NDArray[np.int64]:
    """The rows of ``k`` examples of each class, drawn from those that may be: the same each time.

    Raises:
        InputError: a class has fewer.
    """
    rng = np.random.default_rng([k, draw])
    chosen = []
    for each in np.unique(truth).tolist():
        rows = np.flatnonzero((truth == each) & may)
        if len(rows) < k:
            raise InputError(
                f"class {each}", f"it has {len(rows)} examples to learn from", f"give --shots below {k}"
            )
        chosen.append(rng.choice(rows, k, replace=False))
    return np.sort(np.concatenate(chosen))
