"""A bundle judged on a data set: by the paper's protocol, by others, beside another bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt import linear
from bindrt.embeddings import Vectors
from bindrt.errors import Error, InputError, OptionError
from bindrt.evaluation import adamw
from bindrt.evaluation.adamw import Recipe
from bindrt.evaluation.folders import Folder
from bindrt.evaluation.measures import resampled
from bindrt.evaluation.protocols import linear_probe, retrieval, zero_shot
from bindrt.evaluation.results import Difference, Found, Report, Score
from bindrt.evaluation.sets import Content, Dataset, Labelled, Pairs
from bindrt.evaluation.vectors import VectorStore
from bindrt.model import Model
from bindrt.templates import IMAGENET

PROTOCOLS = (zero_shot.NAME, retrieval.NAME, linear_probe.NAME, linear_probe.NAME_ADAMW)


@dataclass(frozen=True)
class Request:
    """What is to be done with a data set.

    Attributes:
        protocols: empty: the paper's.
        shots: examples of each class for the linear probe.
        templates: sentences for the classes' names.
        weights: of the modalities that an item's vector is summed of; empty: the data set's own.
    """

    protocols: tuple[str, ...] = ()
    shots: tuple[int, ...] = linear_probe.SHOTS
    templates: tuple[str, ...] = IMAGENET
    weights: Mapping[str, float] = field(default_factory=dict)


def read(dataset: Dataset, path: Path, partial: bool = False) -> tuple[Content, int]:
    """What a copy of a data set asks, and how many of its items are missing.

    Raises:
        SourceError: the copy is not complete, or its lists are not as they are published.
    """
    folder = Folder(path, dataset, partial)
    if not path.is_dir():
        raise folder.not_as_published(path, "it is not a folder")
    try:
        content = dataset.read(folder)
    except Error:
        raise
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OSError,
    ) as error:
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise folder.not_as_published(path, f"a list in it is damaged or cut off ({reason})") from error
    asked = content.entries if isinstance(content, Labelled) else content.queries
    if not asked:
        raise folder.not_as_published(path, "its lists are empty")
    return content, folder.left_out


def evaluate(
    model: Model, dataset: Dataset, content: Content, store: VectorStore, request: Request, left_out: int = 0
) -> Report:
    """The scores of one bundle."""
    found = tuple(
        _found(name, content, store, request, dataset.recipe) for name in _protocols(content, request)
    )
    published = {each.measure: each.value for each in dataset.published}
    beside = tuple(
        replace(each, scores=tuple(replace(s, published=published.get(s.measure)) for s in each.scores))
        for each in found
    )
    about: dict[str, Any] = {
        "dataset": dataset.name,
        "title": dataset.title,
        "bundle": model.bundle.path.name,
        "space": model.space,
        "precision": model.precision,
        "missing": left_out,
        "failed": len(store.failed),
    }
    return Report(about, beside, (*dataset.notes, *_fewer(dataset, content, left_out)))


def _fewer(dataset: Dataset, content: Content, left_out: int) -> Iterator[str]:
    """A note if the lists have fewer questions than the published ones: they may be cut off."""
    asked = len(content.entries if isinstance(content, Labelled) else content.queries) + left_out
    if asked < dataset.questions:
        yield f"The lists have {asked} questions; those of {dataset.title} have {dataset.questions}."


def _protocols(content: Content, request: Request) -> Sequence[str]:
    probes = (linear_probe.NAME, linear_probe.NAME_ADAMW)
    fitting = (retrieval.NAME,) if isinstance(content, Pairs) else (zero_shot.NAME, *probes)
    for name in request.protocols:
        if name not in fitting:
            raise OptionError(
                f"--protocol {name}", "the data set asks something else", f"take {' or '.join(fitting)}"
            )
    return request.protocols or fitting[:1]


def _found(name: str, content: Content, store: VectorStore, request: Request, recipe: Recipe) -> Found:
    if isinstance(content, Pairs):
        return retrieval.evaluate(content, store, [request.weights] if request.weights else ())
    if request.weights:
        raise OptionError("--weight", "items are of one modality", "leave it out")
    if name == linear_probe.NAME:
        return linear_probe.evaluate(name, content, store, _logistic, request.shots)
    if name == linear_probe.NAME_ADAMW:
        learn = partial(_adamw, recipe)
        return linear_probe.evaluate(name, content, store, learn, request.shots)
    return zero_shot.evaluate(content, store, request.templates)


def _logistic(vectors: Vectors, labels: npt.NDArray[np.int64], draw: int) -> linear.Linear:
    return linear.fit(vectors, labels)


def _adamw(recipe: Recipe, vectors: Vectors, labels: npt.NDArray[np.int64], draw: int) -> linear.Linear:
    return adamw.fit(vectors, labels, recipe, draw)


def compared(report: Report, other: Report) -> Report:
    """A report with another bundle's beside it, and how much better the other one is.

    Raises:
        InputError: different items failed, so that the two answered different questions.
    """
    differences = []
    for ours, theirs in zip(report.found, other.found, strict=True):
        for a, b in zip(ours.scores, theirs.scores, strict=True):
            if a.count != b.count:
                raise InputError(
                    a.measure, f"{a.count} answers against {b.count}", "other items failed; see failed"
                )
            differences.append(_difference(ours.protocol, a, b))
    return replace(report, against=other, differences=tuple(differences))


def _difference(protocol: str, ours: Score, theirs: Score) -> Difference:
    points = [theirs.of(w) - ours.of(w) for w in resampled(ours.count, ours.groups)]
    low, high = np.nanpercentile(points, [2.5, 97.5])
    return Difference(protocol, ours.measure, theirs.value - ours.value, float(low), float(high))
