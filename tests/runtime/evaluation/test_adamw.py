"""The paper's few-shot recipe, beside PyTorch's own AdamW."""

from __future__ import annotations

import numpy as np
import pytest

import bindrt
from bindrt.embeddings import unit_rows
from bindrt.evaluation.adamw import ESC50, SUN_RGBD, Recipe, fit


@pytest.mark.parametrize("recipe", [ESC50, SUN_RGBD, Recipe(0.1, 0.5, 3)])
def test_steps_are_those_of_adamw(recipe: Recipe) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((100, 12)).astype(np.float32)
    labels = rng.integers(0, 5, 100) * 3
    found = fit(vectors, labels, recipe, 7)
    assert found.classes.tolist() == [0, 3, 6, 9, 12]

    rows, truth = torch.from_numpy(unit_rows(vectors)).double(), torch.from_numpy(labels // 3)
    layer = torch.nn.Linear(12, 5).double()
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    steps = torch.optim.AdamW(layer.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    orders = np.random.default_rng(7)
    for _ in range(recipe.epochs):
        order = orders.permutation(100)
        for some in (order[:64], order[64:]):
            steps.zero_grad()
            torch.nn.functional.cross_entropy(layer(rows[some]), truth[some]).backward()
            steps.step()
    np.testing.assert_allclose(found.weights, layer.weight.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(found.bias, layer.bias.detach().numpy(), atol=1e-6)


def test_one_class_teaches_nothing() -> None:
    with pytest.raises(bindrt.InputError, match="1 classes"):
        fit(np.eye(3, dtype=np.float32), np.zeros(3, np.int64), ESC50, 0)
