"""Classification by text labels that are embedded once: ``model.zero_shot(labels)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Embeddings, Vectors, unit_rows
from bindrt.errors import Error, OptionError
from bindrt.item_types import ItemsByModality, OnError
from bindrt.label_vectors import LabelVectors, Prompts
from bindrt.notes import Notes
from bindrt.option_checks import require_whole

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bindrt.probe import Probe


@dataclass(frozen=True, eq=False)
class Scores:
    """What :class:`ZeroShot` finds: for each item the probability of each label.

    Attributes:
        labels: the labels, in the order of the columns.
        probabilities: float32 ``[N, labels]``; rows sum to one. NaN for an item that failed.
        errors: with ``on_error="skip"`` the error of each item that failed, by row.
        notes: what preprocessing reports, by row.

    >>> Scores(("a", "b"), np.float32([[0.25, 0.75]])).topk()
    [[('b', 0.75)]]
    """

    labels: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]
    errors: Mapping[int, Error] = field(default_factory=dict)
    notes: Mapping[int, Notes] = field(default_factory=dict)

    def topk(self, k: SupportsIndex = 1) -> list[list[tuple[str, float]]]:
        """For each item its ``k`` best labels with their probabilities, the best first.

        An item that failed has an empty list. Where several labels are equal, the first one comes first.

        Raises:
            OptionError: ``k`` is not a whole number of at least 1.

        >>> Scores(("a", "b", "c"), np.float32([[0.25, 0.5, 0.25]])).topk(2)
        [[('b', 0.5), ('a', 0.25)]]
        """
        require_whole("k", int(k) if isinstance(k, np.integer) else k, "labels", 1)
        return [
            []
            if np.isnan(row).any()
            else [(self.labels[i], float(row[i])) for i in np.argsort(-row, kind="stable")[: int(k)]]
            for row in self.probabilities
        ]

    def __len__(self) -> int:
        return len(self.probabilities)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self.probabilities, dtype=dtype, copy=True if copy is None else copy)


class ZeroShot:
    """Compares items with labels whose vectors were computed once. ``model.zero_shot`` makes it.

    Attributes:
        labels: the labels.
        vectors: float32 ``[labels, D]`` of unit length: the mean over the templates.
        notes: what is reported about a label's text, by its row.

    Example:
        >>> with bindrt.load("tiny") as model:
        ...     among = model.zero_shot(["a bell", "a car"], templates=["{}", "{} ringing"])
        ...     among(text="a bell ringing").topk()[0][0][0]
        'a bell'
    """

    def __init__(
        self,
        embed: Callable[..., Embeddings],
        scale: float,
        labels: object,
        templates: object = None,
        known: LabelVectors | None = None,
    ) -> None:
        prompts = Prompts(labels, templates)
        self.labels = prompts.labels
        self.vectors, self.notes = (known or LabelVectors())(prompts, embed)
        self._embed = embed
        self._scale = scale

    def __call__(self, *, on_error: OnError = "raise", **items: Unpack[ItemsByModality]) -> Scores:
        """The probability of each label for each item.

        Args:
            on_error: as in :meth:`Model.embed`.
            items: exactly one modality with its items, for example ``image=[…]``.

        Raises:
            OptionError: no modality, several, or one that is None.
        """
        modality = only_modality("zero_shot", items)
        found = self._embed(on_error=on_error, **items)
        return Scores(
            self.labels,
            probabilities(self._scale, found[modality], self.vectors),
            {row: error for (_, row), error in found.errors.items()},
            {row: notes for (_, row), notes in found.notes.items()},
        )


def probabilities(scale: float, rows: Vectors, labels: Vectors) -> npt.NDArray[np.float32]:
    """Softmax over labels of ``scale`` × cosine, float32 ``[N, labels]``; NaN for a row of NaN."""
    logits = scale * (unit_rows(rows) @ labels.T)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)


def chosen_probe(probe: object, labels: object, templates: object) -> Probe | None:
    """The probe of a call that takes one instead of labels; None if it has labels.

    Raises:
        OptionError: both are given, or neither.
    """
    if probe is None:
        if labels is None:
            raise OptionError("classify", "neither labels nor a probe", 'give labels=["a dog", "a car"]')
        return None
    if labels is not None or templates is not None:
        raise OptionError("classify", "a probe has labels of its own", "leave out labels and templates")
    from bindrt.probe import as_probe

    return as_probe(probe)


def only_modality(call: str, items: Mapping[str, object]) -> str:
    """The one modality of a call that takes one.

    Raises:
        OptionError: none, several, or its items are None.
    """
    if len(items) != 1:
        raise OptionError(call, f"{len(items)} modalities given", "give exactly one, for example image=[…]")
    (modality,) = items
    if items[modality] is None:
        raise OptionError(call, f"{modality} is None", "give one item or a list of items")
    return modality
