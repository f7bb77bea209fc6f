"""The vectors of labels, kept by a model: a label in 80 sentences is embedded once, not at every call."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from bindrt.embeddings import Embeddings, Vectors, unit_rows
from bindrt.notes import Notes
from bindrt.option_checks import chosen_labels
from bindrt.templates import chosen_templates

#: Memory for vectors of labels: 16 MiB are 4096 labels of imagebind_huge. The least recently used go first.
MOST_BYTES = 1 << 24


class Prompts:
    """The texts that stand for labels.

    Attributes:
        labels: the labels.
        templates: the sentences that each is put into.
        texts: those of the first label, then those of the second, and so on.
        each: how many a label has.

    Raises:
        InputError, OptionError: the labels or the templates are none.

    >>> Prompts(["a bell", "a car"], ["{}", "{} far away"]).texts
    ['a bell', 'a bell far away', 'a car', 'a car far away']
    """

    def __init__(self, labels: object, templates: object = None) -> None:
        self.labels = tuple(chosen_labels(labels))
        self.templates = chosen_templates(templates)
        self.each = len(self.templates)

    @property
    def texts(self) -> list[str]:
        return [template.replace("{}", label) for label in self.labels for template in self.templates]

    def label_vectors(self, texts: Vectors) -> Vectors:
        """Unit vectors ``[labels, D]``: of each label the mean over the vectors of its texts."""
        by_label = unit_rows(texts).reshape(len(self.labels), self.each, -1)
        return unit_rows(by_label.mean(axis=1))

    def without(self, known: Mapping[str, Labelled]) -> Prompts | None:
        """Those of labels that are not known, each once; None: all are."""
        missing = [label for label in dict.fromkeys(self.labels) if label not in known]
        return Prompts(missing, self.templates) if missing else None

    def labelled(self, texts: Vectors, notes: Mapping[int, Notes]) -> dict[str, Labelled]:
        """Each label from the vectors of its texts, and the notes of these by row."""
        of = {row // self.each: found for row, found in notes.items()}
        vectors = self.label_vectors(texts)
        return {
            label: Labelled(vectors[row].copy(), of.get(row, {})) for row, label in enumerate(self.labels)
        }

    def in_order(self, known: Mapping[str, Labelled]) -> tuple[Vectors, dict[int, Notes]]:
        """Vectors ``[labels, D]`` of known labels, and their notes by row."""
        rows = [known[label] for label in self.labels]
        vectors = np.stack([found.vector for found in rows])
        return vectors, {row: found.notes for row, found in enumerate(rows) if found.notes}


class Labelled(NamedTuple):
    """A label's vector, and what is reported about its texts."""

    vector: Vectors
    notes: Notes


class LabelVectors:
    """Embeds labels, and keeps their vectors; several threads may use it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, tuple[str, ...]], Labelled] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(
        self, prompts: Prompts, embed: Callable[..., Embeddings]
    ) -> tuple[Vectors, Mapping[int, Notes]]:
        """Unit vectors ``[labels, D]``, and the notes of labels by row."""
        known = self.known(prompts)
        if (missing := prompts.without(known)) is not None:
            texts = embed(text=missing.texts)
            made = missing.labelled(texts["text"], {row: notes for (_, row), notes in texts.notes.items()})
            self.keep(made, prompts.templates)
            known |= made
        return prompts.in_order(known)

    def known(self, prompts: Prompts) -> dict[str, Labelled]:
        """Those of the labels that are kept."""
        found = {}
        with self._lock:
            for label in prompts.labels:
                if (kept := self._kept.get((label, prompts.templates))) is not None:
                    self._kept.move_to_end((label, prompts.templates))
                    found[label] = kept
        return found

    def keep(self, made: Mapping[str, Labelled], templates: tuple[str, ...]) -> None:
        """Keeps labels that were embedded in these templates."""
        with self._lock:
            for label, labelled in made.items():
                if (label, templates) not in self._kept:
                    self._bytes += labelled.vector.nbytes
                self._kept[label, templates] = labelled
            while self._bytes > self._most_bytes:
                self._bytes -= self._kept.popitem(last=False)[1].vector.nbytes
