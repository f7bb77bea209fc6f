"""The paper's own way to learn a linear layer on frozen vectors: AdamW on the cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Vectors, unit_rows
from bindrt.errors import InputError
from bindrt.linear import Linear

#: AdamW's usual constants. How many examples a step takes is not published.
_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8
_TOGETHER = 64

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """How long and how fast the layer learns.

    Attributes:
        rate: of a step.
        decay: of the weights, for each unit of rate.
        epochs: how often each example is seen.
    """

    rate: float
    decay: float
    epochs: int

    def __str__(self) -> str:
        return f"AdamW, rate {self.rate:g}, decay {self.decay:g}, {self.epochs} epochs"


#: What the paper tells: for ESC-50, and for SUN RGB-D.
ESC50, SUN_RGBD = Recipe(1.6e-3, 0.05, 50), Recipe(1e-2, 0.0, 60)


def fit(vectors: Vectors, labels: npt.NDArray[np.int64], recipe: Recipe, seed: int) -> Linear:
    """Learns from vectors ``[N, D]``, which are made unit length, and their classes ``[N]``.

    The layer begins at zero. An epoch's order depends on ``seed`` alone.

    Raises:
        InputError: there are fewer than two classes.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        raise InputError("labels", f"{len(classes)} classes", "there must be two or more to tell apart")
    rows = np.concatenate([unit_rows(vectors), np.ones((len(vectors), 1), np.float32)], axis=1)
    wanted = (labels[:, None] == classes).astype(np.float64)
    layer = np.zeros((len(classes), rows.shape[1]))  # the last column is the bias
    mean, square = np.zeros_like(layer), np.zeros_like(layer)
    rng, step = np.random.default_rng(seed), 0
    for _ in range(recipe.epochs):
        order = rng.permutation(len(rows))
        for begin in range(0, len(order), _TOGETHER):
            some = order[begin : begin + _TOGETHER]
            step += 1
            slope = _slope(layer, rows[some].astype(np.float64), wanted[some])
            layer *= 1 - recipe.rate * recipe.decay
            mean += (1 - _FIRST) * (slope - mean)
            square += (1 - _SECOND) * (slope**2 - square)
            size = np.sqrt(square / (1 - _SECOND**step)) + _TINY
            layer -= recipe.rate * mean / (1 - _FIRST**step) / size
    return Linear(np.asarray(layer[:, :-1], np.float32), np.asarray(layer[:, -1], np.float32), classes)


def _slope(layer: Numbers, rows: Numbers, wanted: Numbers) -> Numbers:
    """The derivative of the mean cross-entropy by each number of the layer."""
    logits = rows @ layer.T
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    said = exponentials / exponentials.sum(axis=1, keepdims=True)
    slope: Numbers = (said - wanted).T @ rows / len(rows)
    return slope
