"""Scores with their 95 % intervals: retrieval, zero-shot, few examples, composition."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]
RIDGE = 0.1  # of the linear probe, relative to the features' mean square


@dataclass(frozen=True)
class Score:
    """A share of right answers, and the interval that holds the true one 95 times in 100 (Wilson)."""

    value: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, right: npt.NDArray[np.bool_]) -> Score:
        n, p, z = len(right), float(np.mean(right)), 1.959964
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return cls(p, max(middle - half, 0.0), min(middle + half, 1.0), n)


def recall_at_1(queries: Vectors, items: Vectors) -> Score:
    """Row i of ``queries`` finds row i of ``items``."""
    return Score.of((queries @ items.T).argmax(axis=1) == np.arange(len(queries)))


def class_accuracy(queries: Vectors, items: Vectors, kinds: Labels) -> Score:
    """The nearest item of *another* scene is of the query's kind."""
    products = queries @ items.T
    np.fill_diagonal(products, -np.inf)
    return Score.of(kinds[products.argmax(axis=1)] == kinds)


def zero_shot(queries: Vectors, prompts: Vectors, kinds: Labels) -> Score:
    """``prompts`` ``[kinds, D]``: the nearest names the query's kind."""
    return Score.of((queries @ prompts.T).argmax(axis=1) == kinds)


def linear_probe(train: Vectors, labels: Labels, test: Vectors, expected: Labels) -> Score:
    """Ridge regression onto one-hot kinds, features standardised by the training ones."""
    mean = train.mean(axis=0)
    spread = train.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1.0)
    x, y = (train - mean) / scale, np.eye(int(labels.max()) + 1)[labels]
    gram = x @ x.T  # examples are fewer than features: the dual is smaller
    alpha = np.linalg.solve(gram + RIDGE * np.trace(gram) / len(x) * np.eye(len(x)), y - y.mean(axis=0))
    return Score.of((((test - mean) / scale) @ (x.T @ alpha)).argmax(axis=1) == expected)


def few_shot(features: Vectors, kinds: Labels, shots: int, draws: int = 20, seed: int = 0) -> Score:
    """Linear probes on ``shots`` examples a kind, tested on all others; the mean over random draws.

    The interval is of the mean over draws, as if each draw's test were the same number of questions.
    """
    right = []
    for draw in range(draws):
        rng = np.random.default_rng([seed, shots, draw])
        chosen = np.concatenate(
            [rng.choice(np.flatnonzero(kinds == k), shots, replace=False) for k in np.unique(kinds)]
        )
        rest = np.setdiff1d(np.arange(len(kinds)), chosen)
        right.append(linear_probe(features[chosen], kinds[chosen], features[rest], kinds[rest]).value)
    value, half = float(np.mean(right)), 1.96 * float(np.std(right)) / math.sqrt(draws)
    return Score(value, max(value - half, 0.0), min(value + half, 1.0), draws)
