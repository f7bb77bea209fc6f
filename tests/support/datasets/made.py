"""What a maker says of the copy that it wrote: the right answers, and the items as ``embed`` takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Made:
    """A small copy of a data set.

    Attributes:
        path: its folder.
        modality: of the items.
        items: each as ``embed`` takes it.
        truth: the classes of each item; or the texts that mean it.
        classes: the texts of each class; empty where texts find items.
        folds: the fold of each item.
        sounds: the sound of each item, where it has one beside what is seen.
        victim: a file without which the copy is not complete.
    """

    path: Path
    modality: str
    items: list[Any]
    truth: list[tuple[str, ...]]
    victim: Path
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folds: list[int] = field(default_factory=list)
    sounds: list[Any] = field(default_factory=list)
