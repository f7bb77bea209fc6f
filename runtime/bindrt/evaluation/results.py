"""What an evaluation found: scores with their intervals, confusions, the worst cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bindrt.evaluation.measures import Floats, Scorer, bootstrap


@dataclass(frozen=True)
class Score:
    """One number, in per cent.

    Attributes:
        measure: for example ``top-1`` or ``R@5``.
        value: the score.
        low, high: its 95 % interval.
        count: how many questions it is of.
        interval: how the interval was found: ``Wilson`` or ``bootstrap``.
        score: the same from other weights of the items, to compare two bundles; a share, not per cent.
        groups: items of one group are drawn together.
    """

    measure: str
    value: float
    low: float
    high: float
    count: int
    interval: str
    score: Scorer
    groups: tuple[int, ...] = ()
    published: float | None = None

    def of(self, weights: Floats) -> float:
        """The score in per cent where items count as often as that."""
        return 100 * self.score(weights)


def resampled_score(measure: str, score: Scorer, count: int, groups: tuple[int, ...] = ()) -> Score:
    """A score whose interval comes from drawing items anew."""
    low, high = bootstrap(score, count, groups)
    value = score(np.ones(count))
    return Score(measure, 100 * value, 100 * low, 100 * high, count, "bootstrap", score, groups)


@dataclass(frozen=True)
class Case:
    """An item that was answered wrongly, by how much.

    Attributes:
        name: the item.
        said, right: the answer, and what would have been right.
        margin: how much nearer the right answer was; the more negative, the worse.
        file: where the item lies; empty for texts.
    """

    name: str
    said: str
    right: str
    margin: float
    file: str = ""


@dataclass(frozen=True)
class Found:
    """What one protocol found on one data set.

    Attributes:
        protocol: its name.
        scores: its numbers.
        classes: names of the rows and columns of ``confusion``.
        confusion: how often an item of each class was called each class, ``[classes, classes]``.
        worst: the wrong answers, the worst first.
    """

    protocol: str
    scores: tuple[Score, ...]
    classes: tuple[str, ...] = ()
    confusion: Any = None
    worst: tuple[Case, ...] = ()


@dataclass(frozen=True)
class Difference:
    """How much better another bundle is at the same questions, in points.

    Attributes:
        within: whether the whole interval lies within half a point of nothing.
    """

    protocol: str
    measure: str
    value: float
    low: float
    high: float

    @property
    def within(self) -> bool:
        return self.low >= -0.5 and self.high <= 0.5


@dataclass(frozen=True)
class Report:
    """All that was found of one bundle on one data set.

    Attributes:
        about: bundle, space, precision, data set, counts.
        found: by protocol.
        against: the same of another bundle, if one was given; and how the two differ.
    """

    about: Mapping[str, Any]
    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()
    against: Report | None = None
    differences: tuple[Difference, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        told: dict[str, Any] = {
            **self.about,
            "unit": "per cent",
            "scores": [_score(found.protocol, score) for found in self.found for score in found.scores],
            "confusion": [
                {
                    "protocol": f.protocol,
                    "classes": list(f.classes),
                    "counts": np.asarray(f.confusion).tolist(),
                }
                for f in self.found
                if f.confusion is not None
            ],
            "worst": [{"protocol": f.protocol, **vars(case)} for f in self.found for case in f.worst],
            "notes": list(self.notes),
        }
        if self.against is not None:
            told["against"] = self.against.as_json()
            told["differences"] = [{**vars(d), "within_half_a_point": d.within} for d in self.differences]
        return told


def _confusion(found: Found) -> dict[str, Any]:
    counts = np.asarray(found.confusion).tolist()
    return {"protocol": found.protocol, "classes": list(found.classes), "counts": counts}


def _score(protocol: str, score: Score) -> dict[str, Any]:
    kept = ("measure", "value", "low", "high", "count", "interval", "published")
    return {"protocol": protocol, **{name: getattr(score, name) for name in kept}}
