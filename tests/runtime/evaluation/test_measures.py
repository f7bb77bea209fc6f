"""Intervals and average precision, beside values found in other ways."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bindrt.evaluation.measures import bootstrap, mean_average_precision, mean_of, wilson


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    # Solutions of |p - share| = z sqrt(p (1 - p) / n), found by bisection.
    [(0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433), (50, 100, 0.4038, 0.5962), (10, 10, 0.7225, 1.0)],
)
def test_wilson(right: int, count: int, low: float, high: float) -> None:
    assert wilson(right, count) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_bootstrap_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(1).random(400)
    low, high = bootstrap(mean_of(values), len(values))
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert (low, high) == (
        pytest.approx(values.mean() - half, abs=0.005),
        pytest.approx(values.mean() + half, abs=0.005),
    )
    assert (low, high) == bootstrap(mean_of(values), len(values))  # the same each time


def test_items_of_a_group_are_drawn_together() -> None:
    values = np.repeat(np.random.default_rng(2).random(40), 5)
    groups = np.repeat(np.arange(40), 5).tolist()
    alone, together = bootstrap(mean_of(values), 200), bootstrap(mean_of(values), 200, groups)
    assert together[1] - together[0] > 1.8 * (alone[1] - alone[0])


def test_a_mean_over_folds() -> None:
    score = mean_of(np.array([1, 1, 0, 0, 0]), [1, 1, 2, 2, 2])
    assert score(np.ones(5)) == 0.5
    assert score(np.array([1, 1, 0, 0, 0])) == 1  # a fold that was not drawn does not count


def test_average_precision_of_items_that_count_several_times() -> None:
    rng = np.random.default_rng(3)
    scores, truth = rng.integers(0, 6, (30, 4)) / 5.0, rng.random((30, 4)) < 0.3
    weights = rng.integers(0, 3, 30)
    repeated = np.repeat(np.arange(30), weights)
    expected = mean_average_precision(scores[repeated], truth[repeated])(np.ones(len(repeated)))
    assert mean_average_precision(scores, truth)(weights.astype(float)) == pytest.approx(expected, abs=1e-12)
    assert mean_average_precision(scores, truth)(np.ones(30)) == pytest.approx(
        np.mean([_by_definition(scores[:, c], truth[:, c]) for c in range(4)]), abs=1e-12
    )


def _by_definition(scores: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean([truth[scores >= scores[at]].mean() for at in np.flatnonzero(truth)]))
