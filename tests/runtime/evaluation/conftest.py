"""bind-tiny, and small copies of data sets that its world wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bindrt
from bindrt.cache import cache_folder
from bindrt.evaluation.datasets import find
from bindrt.evaluation.results import Report
from bindrt.evaluation.run import Request, evaluate, read
from bindrt.evaluation.vectors import VectorStore
from support.datasets import MAKERS, Made

#: Few sentences: what is tested does not depend on how many there are.
TEMPLATES = ("{}", "a picture of a {}", "there is a {}")

Copies = Callable[[str], Made]


@pytest.fixture(scope="session")
def model() -> Iterator[bindrt.Model]:
    with bindrt.load("tiny", engine="onnxruntime") as loaded:
        yield loaded


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    """A copy of a data set, made when it is first asked for; read-only by agreement."""
    made: dict[str, Made] = {}

    def copy(name: str) -> Made:
        if name == "sun-rgbd":
            pytest.importorskip("scipy")
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            made[name] = MAKERS[name](folder)
        return made[name]

    return copy


def judged(model: bindrt.Model, name: str, folder: Path, request: Request | None = None) -> Report:
    """What bind-eval says of a copy."""
    dataset = find(name)
    content, left_out = read(dataset, folder)
    store = VectorStore(model, cache_folder("evaluation"))  # that of the tests, which the command uses too
    return evaluate(model, dataset, content, store, request or Request(templates=TEMPLATES), left_out)


def scores_of(report: Report) -> dict[str, float]:
    """The scores by measure."""
    return {score.measure: score.value for found in report.found for score in found.scores}
