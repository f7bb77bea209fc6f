"""Classification by text labels that are embedded once: ``model.zero_shot(labels)``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Embeddings, unit_rows
from bindrt.errors import Error, InputError, OptionError
from bindrt.item_types import ItemsByModality, OnError
from bindrt.notes import Notes
from bindrt.option_checks import chosen_labels, require_whole

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: The label alone.
PLAIN = ("{}",)


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
        self, embed: Callable[..., Embeddings], scale: float, labels: object, templates: object = None
    ) -> None:
        self.labels = tuple(chosen_labels(labels))
        prompts = chosen_templates(templates)
        texts = embed(text=[prompt.replace("{}", label) for label in self.labels for prompt in prompts])
        by_label = unit_rows(texts["text"]).reshape(len(self.labels), len(prompts), -1)
        self.vectors = unit_rows(by_label.mean(axis=1))
        self.notes = {row // len(prompts): notes for (_, row), notes in texts.notes.items()}
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
        logits = self._scale * (unit_rows(found[modality]) @ self.vectors.T)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Scores(
            self.labels,
            np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32),
            {row: error for (_, row), error in found.errors.items()},
            {row: notes for (_, row), notes in found.notes.items()},
        )


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


def chosen_templates(templates: object) -> tuple[str, ...]:
    """Texts with ``{}`` where the label goes; the label alone for None.

    Raises:
        OptionError: not a list of such texts.

    >>> chosen_templates(["a photo of {}", "{}"])
    ('a photo of {}', '{}')
    """
    if templates is None:
        return PLAIN
    example = 'for example templates=["a photo of {}", "a drawing of {}"]'
    found = (
        tuple(templates)
        if isinstance(templates, Iterable) and not isinstance(templates, (str, bytes))
        else ()
    )
    if not found:
        raise OptionError("templates", "not a list of texts", example)
    for index, template in enumerate(found):
        if not isinstance(template, str) or "{}" not in template:
            raise InputError(f"templates[{index}]", "not a text with {} where the label goes", example)
    return found
