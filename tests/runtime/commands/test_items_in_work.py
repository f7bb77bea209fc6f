"""Inputs of ``bind-embed`` that are submitted together."""

from __future__ import annotations

from typing import cast

import pytest

from bindrt.commands.inputs import Input
from bindrt.commands.items_in_work import TOGETHER, Gathering, Pending
from bindrt.errors import EngineError
from bindrt.pipeline import EmbeddingFuture


def pending(name: str, modality: str = "text") -> Pending:
    return Pending(Input(name, modality, name=name), modality, name)


class Submitted:
    """Takes items as a model does, and keeps the calls."""

    def __init__(self, refuses: str = "") -> None:
        self.calls: list[tuple[str, list[object]]] = []
        self.refuses = refuses

    def __call__(self, modality: str, items: list[object]) -> list[EmbeddingFuture]:
        self.calls.append((modality, items))
        if modality == self.refuses:
            raise EngineError(modality, "the engine does not open")
        return [EmbeddingFuture(modality) for _ in items]


def test_the_first_goes_at_once_and_then_ever_more_together() -> None:
    model = Submitted()
    gathering = Gathering(model)
    every = [pending(str(number)) for number in range(400)]
    for in_work, each in enumerate(every, 1):
        gathering.add(each, in_work)
    sizes = [len(items) for _, items in model.calls]
    assert sizes[0] == 1
    assert sizes == sorted(sizes)
    assert max(sizes) == TOGETHER
    gathering.send()
    assert [item for _, items in model.calls for item in items] == [str(number) for number in range(400)]
    assert not any(each.waits for each in every)
    gathering.send()  # nothing is left
    assert len([item for _, items in model.calls for item in items]) == 400


def test_modalities_are_submitted_apart() -> None:
    model = Submitted()
    gathering = Gathering(model)
    every = [pending("a", "image"), pending("b"), pending("c", "image")]
    for each in every:
        gathering.add(each, 100)
    assert [each.is_finished() for each in every] == [False] * 3
    gathering.send()
    assert model.calls == [("image", ["a", "c"]), ("text", ["b"])]
    assert [cast(EmbeddingFuture, each.future).modality for each in every] == ["image", "text", "image"]


def test_a_model_that_takes_nothing_ends_the_run() -> None:
    gathering = Gathering(Submitted(refuses="image"))
    every = [pending("a", "image"), pending("b"), pending("c", "image")]
    for each in every:
        gathering.add(each, 100)
    gathering.send()
    assert [each.ends for each in every] == [True, False, True]
    assert every[0].is_finished()
    assert every[0].row().error == str(every[0].error)
    with pytest.raises(EngineError, match="does not open"):
        raise cast(EngineError, every[2].error)
