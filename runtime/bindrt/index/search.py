"""The index: vectors with ids and metadata, exact or approximate search."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.bundle.space import require_same_space
from bindrt.embeddings import Embeddings, Vectors
from bindrt.errors import InputError, OptionError
from bindrt.index import storage
from bindrt.index.graph import ProximityGraph
from bindrt.index.query import as_queries, checked
from bindrt.model import Model
from bindrt.option_checks import require_whole

Metadata = Mapping[str, Any]
_BLOCK = 1 << 16  # rows compared at once: the scores of one query block stay in cache


@dataclass(frozen=True)
class Hit:
    """One result.

    Attributes:
        id: as it was added, for example a path.
        score: cosine similarity to the query, -1..1.
        modality: of the item.
        metadata: as it was added.
    """

    id: str
    score: float
    modality: str
    metadata: Metadata


class Index:
    """Vectors of one space. Adding and searching at the same time is the caller's to order.

    Attributes:
        space: fingerprint of the embedding space.
        dim: length of a vector.
        approximate: search walks a graph (usearch) instead of comparing with every vector.
        bundle: where the model that made the vectors is, for ``bind-search``; may be empty.
    """

    def __init__(self, space: str, dim: int, approximate: bool = False, bundle: str = "") -> None:
        """An empty index.

        Args:
            approximate: for large sets: needs ``pip install 'bindrt[index]'``; finds nearly always the
                same results in a small fraction of the time.
        """
        if dim < 1:
            raise OptionError(f"dim={dim}", "no length of a vector", "give the model's embed_dim")
        self.space = space
        self.dim = dim
        self.approximate = approximate
        self.bundle = bundle
        self._graph = ProximityGraph(dim) if approximate else None
        self._blocks: list[Vectors] = []
        self._entries = storage.Entries()

    @classmethod
    def of(cls, model: Model, approximate: bool = False) -> Index:
        """An empty index for a model's vectors."""
        return cls(model.space, model.embed_dim, approximate, str(model.bundle.path))

    def add(
        self,
        vectors: Embeddings | npt.NDArray[np.floating[Any]],
        ids: Sequence[str],
        modality: str = "",
        metadata: Sequence[Metadata] | None = None,
    ) -> None:
        """Add vectors ``[N, D]``; they are made unit length.

        Args:
            vectors: an array, or ``Embeddings`` of one modality.
            ids: one text for each, for example paths; an id may come several times.
            modality: of the items; may be left out with ``Embeddings``.
            metadata: for each a dict that JSON can hold.

        Raises:
            SpaceError: ``Embeddings`` of another space.
            InputError: shapes, lengths or values that do not fit; nothing was added.
        """
        if isinstance(vectors, Embeddings):
            require_same_space(self.space, vectors.space, "vectors")
            modality = modality or next(iter(vectors), "")
            rows = as_queries(vectors, self.dim)
        else:
            rows = checked(np.asarray(vectors), self.dim, "vectors")
        if isinstance(ids, str) or len(ids) != len(rows):
            raise InputError("ids", f"{len(ids)} for {len(rows)} vectors", "give a list with one id for each")
        if metadata is not None and len(metadata) != len(rows):
            raise InputError("metadata", f"{len(metadata)} for {len(rows)} vectors", "give one dict for each")
        self._entries.add(ids, modality, metadata)
        if self._graph is not None:
            self._graph.add(len(self) - len(rows), rows)
        if len(rows):
            self._blocks.append(rows)

    def search(
        self,
        query: Embeddings | npt.NDArray[np.floating[Any]],
        k: int = 10,
        modality: str | None = None,
    ) -> list[list[Hit]]:
        """The ``k`` nearest of each query, best first.

        Args:
            query: vectors ``[D]`` or ``[Q, D]``, or ``Embeddings`` of one modality.
            modality: only items of this one; always exact.

        Returns:
            One list for each query; shorter than ``k`` if there are fewer items. Equal scores keep the
            order of adding.

        Raises:
            SpaceError: ``Embeddings`` of another space.
            InputError: a query that does not fit.
            OptionError: ``k`` is not a whole number above 0.
        """
        require_whole("k", k, "results", 1)
        if isinstance(query, Embeddings):
            require_same_space(self.space, query.space, "the query")
        queries = as_queries(query, self.dim)
        if self._graph is not None and modality is None:
            found = self._graph.search(queries, min(k, len(self))) if len(self) else [[] for _ in queries]
        else:
            found = self._exact(queries, k, None if modality is None else self._entries.of(modality))
        return [[self._hit(row, score) for row, score in hits] for hits in found]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to a folder, beside and moved into place; a folder that is no index is never replaced."""
        storage.save(Path(path), self._header(), self.vectors, self._entries, self._graph)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Index:
        """Read what :meth:`save` wrote; the vectors stay on disk and are mapped.

        Raises:
            InputError: no index, damaged, or of another version.
            OptionError: it is approximate and usearch is not installed.
        """
        header, vectors, entries = storage.load(Path(path))
        index = cls(header.space, header.dim, header.approximate, header.bundle)
        index._entries = entries
        if len(vectors):
            index._blocks = [vectors]
        if index._graph is not None:
            index._graph.load(Path(path) / storage.GRAPH, len(vectors))
        return index

    @property
    def vectors(self) -> Vectors:
        """All unit vectors ``[N, D]`` in the order of adding."""
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0] if self._blocks else np.empty((0, self.dim), np.float32)

    @property
    def ids(self) -> list[str]:
        """All ids in the order of adding."""
        return list(self._entries.ids)

    @property
    def modalities(self) -> list[str]:
        """The modality of each item in the order of adding."""
        return list(self._entries.modalities)

    def __len__(self) -> int:
        return len(self._entries.ids)

    def __repr__(self) -> str:
        kind = "approximate" if self.approximate else "exact"
        return f"Index({len(self)} vectors [{self.dim}], {kind}; space {self.space})"

    def _header(self) -> storage.Header:
        return storage.Header(self.space, self.dim, len(self), self.approximate, self.bundle)

    def _hit(self, row: int, score: float) -> Hit:
        return Hit(
            self._entries.ids[row], score, self._entries.modalities[row], self._entries.metadata_of(row)
        )

    def _exact(
        self, queries: Vectors, k: int, only: npt.NDArray[np.int64] | None
    ) -> list[list[tuple[int, float]]]:
        """Compares with every vector, a block at a time, keeping the best so far."""
        vectors = self.vectors
        candidates = np.arange(len(vectors)) if only is None else only
        best = [np.empty(0, np.int64) for _ in queries]
        scores = [np.empty(0, np.float32) for _ in queries]
        for begin in range(0, len(candidates), _BLOCK):
            rows = candidates[begin : begin + _BLOCK]
            block = vectors[begin : begin + _BLOCK] if only is None else vectors[rows]
            products = queries @ block.T
            for q, product in enumerate(products):
                taken = top(product, k)
                merged = np.concatenate([scores[q], product[taken]])
                order = np.argsort(-merged, kind="stable")[:k]
                scores[q] = merged[order]
                best[q] = np.concatenate([best[q], rows[taken]])[order]
        return [
            [(int(r), float(s)) for r, s in zip(rows, values, strict=True)]
            for rows, values in zip(best, scores, strict=True)
        ]


def top(values: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.int64]:
    """Indices of the ``k`` largest, best first, equal ones in order."""
    if k < len(values):
        # The k-th largest value; all above it are in, and of its equals the first ones.
        threshold = np.partition(values, len(values) - k)[len(values) - k]
        above = np.flatnonzero(values > threshold)
        equal = np.flatnonzero(values == threshold)[: k - len(above)]
        chosen = np.sort(np.concatenate([above, equal]))
    else:
        chosen = np.arange(len(values))
    return np.asarray(chosen[np.argsort(-values[chosen], kind="stable")], np.int64)
