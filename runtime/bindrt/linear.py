"""A linear layer on frozen vectors: multinomial logistic regression by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Vectors, unit_rows
from bindrt.errors import InputError, OptionError
from bindrt.extras import install

#: scikit-learn's C, the inverse of the penalty on the weights. It hardly matters: with bind-tiny and 1 to 8
#: examples of each of 13 classes, values from 1 to 1000 differ by 1 to 2 points in most cases, 3.5 at most.
INVERSE_PENALTY = 10.0
_STEPS = 2000


@dataclass(frozen=True)
class Linear:
    """The layer.

    Attributes:
        weights: float32 ``[classes, D]``.
        bias: float32 ``[classes]``.
        classes: what each row says, int64 ``[classes]``.
    """

    weights: Vectors
    bias: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]

    def logits(self, vectors: Vectors) -> npt.NDArray[np.float32]:
        """``[N, classes]``."""
        return np.asarray(unit_rows(vectors) @ self.weights.T + self.bias, np.float32)

    def predict(self, vectors: Vectors) -> npt.NDArray[np.int64]:
        """The class of each vector, ``[N]``."""
        return np.asarray(self.classes[self.logits(vectors).argmax(axis=1)])


def fit(vectors: Vectors, labels: npt.NDArray[np.int64], inverse_penalty: float = INVERSE_PENALTY) -> Linear:
    """Learns from vectors ``[N, D]``, which are made unit length, and their classes ``[N]``.

    Raises:
        OptionError: scikit-learn is not installed.
        InputError: there are fewer than two classes.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        raise InputError("labels", f"{len(classes)} classes", "there must be two or more to tell apart")
    learner, one_thread = _library()
    learner = learner(C=inverse_penalty, max_iter=_STEPS)
    with one_thread(1):  # its products are small: threads would cost more time than they save
        learner.fit(unit_rows(vectors).astype(np.float64), labels)
    weights, bias = learner.coef_, learner.intercept_
    if len(classes) == 2:  # scikit-learn then has one row, for the second class
        weights, bias = np.vstack([0 * weights, weights]), np.append(0.0, bias)
    return Linear(np.asarray(weights, np.float32), np.asarray(bias, np.float32), classes)


def _library() -> tuple[Any, Any]:
    """scikit-learn's learner, and what limits its threads."""
    try:
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise OptionError("scikit-learn", "it is not installed", install("eval")) from None
    return LogisticRegression, threadpool_limits
