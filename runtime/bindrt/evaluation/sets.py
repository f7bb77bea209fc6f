"""What a data set asks, whatever it is of: which class an item has, or which item a text means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Union

from bindrt.evaluation.adamw import ESC50, Recipe
from bindrt.evaluation.entries import Entry, text
from bindrt.evaluation.folders import Folder

Measure = Literal["top-1", "mAP"]


@dataclass(frozen=True)
class Choice:
    """A class.

    Attributes:
        name: as reports name it.
        texts: an item is as near to the class as to the nearest of these.
    """

    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Labelled:
    """Items, each of one class or of several.

    Attributes:
        entries: the items.
        truth: the classes of each item.
        classes: what can be said.
        folds: the part that each item belongs to; the score is the mean over parts. Empty: there are none.
        training, training_truth: items to learn from, where the data set has some.
        measure: what the paper counts.
    """

    entries: tuple[Entry, ...]
    truth: tuple[frozenset[int], ...]
    classes: tuple[Choice, ...]
    folds: tuple[int, ...] = ()
    training: tuple[Entry, ...] = ()
    training_truth: tuple[frozenset[int], ...] = ()
    measure: Measure = "top-1"


@dataclass(frozen=True)
class Pairs:
    """Texts, each of which means one of some items.

    Attributes:
        queries: the texts.
        wanted: the row of the item that each text means.
        items: by modality the entry of each item; None where an item lacks the modality.
        sums: which modalities an item's vector is made of, with their weights; a score each.
    """

    queries: tuple[Entry, ...]
    wanted: tuple[int, ...]
    items: Mapping[str, tuple[Entry | None, ...]]
    sums: tuple[Mapping[str, float], ...]

    @classmethod
    def of_captions(cls, modality: str, items: Iterable[tuple[Entry, Iterable[str]]]) -> Pairs:
        """Items of one modality, each with the captions that mean it."""
        found = [(entry, tuple(captions)) for entry, captions in items]
        said = [(words, item) for item, (_, captions) in enumerate(found) for words in captions]
        return cls(
            queries=tuple(text(words) for words, _ in said),
            wanted=tuple(item for _, item in said),
            items={modality: tuple(entry for entry, _ in found)},
            sums=({modality: 1.0},),
        )


Content = Union[Labelled, Pairs]


@dataclass(frozen=True)
class Published:
    """A figure of ImageBind's paper, in per cent.

    Attributes:
        measure: as in the report, for example ``top-1`` or ``R@1 video``.
    """

    measure: str
    value: float


@dataclass(frozen=True)
class Dataset:
    """A data set that is published in one layout.

    Attributes:
        name: as ``bind-eval`` takes it.
        title: what people call it.
        what: items and question, in a few words.
        layout: what its folder holds.
        where: where it is to be had.
        published: the paper's figures for imagebind_huge.
        read: what it asks, from a folder.
        notes: what is not as in the paper, or not known of it.
        questions: how many the published lists ask: items, or texts that mean items; 0: that differs.
        recipe: how the paper's linear layer learns; what it tells for ESC-50, where it tells nothing else.
    """

    name: str
    title: str
    what: str
    layout: str
    where: str
    published: tuple[Published, ...]
    read: Callable[[Folder], Content]
    notes: tuple[str, ...] = field(default=())
    questions: int = 0
    recipe: Recipe = ESC50
