"""Vectors of a data set's items, kept in files.

A second protocol, and a run that goes on after an interruption, embed nothing twice.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bindrt.cache import keep, read_kept
from bindrt.embeddings import Vectors
from bindrt.evaluation.entries import Entry
from bindrt.model import Model
from bindrt.option_checks import is_skip

#: Items that are embedded and kept together.
PART = 256
#: Another number where vectors of the same items would be others.
_VERSION = 1


class VectorStore:
    """Embeds entries with a model, and keeps the vectors.

    Attributes:
        embedded: how many were not kept already.
        failed: the errors of items that could not be read, by name, with ``on_error="skip"``.
    """

    def __init__(
        self,
        model: Model,
        folder: Path | None,
        on_error: str = "raise",
        told: Callable[[int], object] = lambda count: None,
    ) -> None:
        """
        Args:
            folder: where vectors are kept; None: nowhere.
            told: is called with how many more entries are done.
        """
        self._model, self._folder, self._told = model, folder, told
        self._skip = is_skip(on_error)
        self._made_by = [_VERSION, model.space, model.precision]
        self.embedded = 0
        self.failed: dict[str, str] = {}

    def __call__(self, entries: Sequence[Entry]) -> Vectors:
        """Unit vectors ``[N, D]``; NaN for an item that failed. The entries are of one modality."""
        parts = [self._part(entries[at : at + PART]) for at in range(0, len(entries), PART)]
        return np.concatenate([np.empty((0, self._model.embed_dim), np.float32), *parts])

    def labels(self, texts: Sequence[str], templates: Sequence[str]) -> Vectors:
        """Unit vectors ``[texts, D]``: of each text the mean over the templates."""
        key = self._key(["labels", list(texts), list(templates)])
        if (known := self._read(key)) is not None:
            return known[0]
        vectors = self._model.zero_shot(list(texts), list(templates)).vectors
        self._write(key, vectors, {})
        return vectors

    def _part(self, entries: Sequence[Entry]) -> Vectors:
        key = self._key([entry.key() for entry in entries])
        known = self._read(key)
        if known is not None and (self._skip or not known[1]):
            vectors, errors = known
        else:
            vectors, errors = self._embedded(entries)
            self._write(key, vectors, errors)
        self.failed |= errors
        self._told(len(entries))
        return vectors

    def _embedded(self, entries: Sequence[Entry]) -> tuple[Vectors, dict[str, str]]:
        modality = entries[0].modality
        items: Any = {modality: [entry.item() for entry in entries]}
        found = self._model.embed(**items, on_error="skip" if self._skip else "raise")
        self.embedded += len(entries)
        return found[modality], {entries[row].name: str(error) for (_, row), error in found.errors.items()}

    def _key(self, what: list[Any]) -> str:
        return hashlib.sha256(json.dumps([self._made_by, what]).encode()).hexdigest()

    def _read(self, key: str) -> tuple[Vectors, dict[str, str]] | None:
        if self._folder is None or not (content := read_kept(self._folder / f"{key}.npz")):
            return None
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as kept:
                vectors, errors = np.asarray(kept["vectors"], np.float32), json.loads(str(kept["errors"]))
        except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile):
            return None
        fits = vectors.ndim == 2 and vectors.shape[1] == self._model.embed_dim
        return (vectors, errors) if fits and isinstance(errors, dict) else None

    def _write(self, key: str, vectors: Vectors, errors: dict[str, str]) -> None:
        if self._folder is not None:
            content = io.BytesIO()
            np.savez(content, vectors=vectors, errors=np.array(json.dumps(errors)))
            keep(self._folder / f"{key}.npz", content.getvalue())


def good_rows(vectors: Vectors) -> Iterator[int]:
    """The rows of items that did not fail."""
    yield from np.flatnonzero(np.isfinite(vectors).all(axis=1)).tolist()
