"""The index: vectors with ids and metadata, and the search for the nearest ones."""

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
from bindrt.index.query import as_queries, unit_rows_of
from bindrt.model import Model
from bindrt.option_checks import require_whole

Metadata = Mapping[str, Any]
_BLOCK = 1 << 16  # rows that are compared at once; their scores stay in the processor's cache


@dataclass(frozen=True)
class Hit:
    """One result of a search.

    Attributes:
        id: the item's id as it was added, for example a path.
        score: cosine similarity of the item and the query, -1 to 1.
        modality: the item's modality; may be empty.
        metadata: the item's metadata as it was added; empty if there was none.
    """

    id: str
    score: float
    modality: str
    metadata: Metadata


class Index:
    """Vectors of one space, to be searched.

    It has no lock: do not call ``add`` while another thread adds or searches.

    Attributes:
        space: fingerprint of the embedding space.
        dim: length of a vector.
        approximate: whether search walks a graph (usearch) instead of comparing with every vector.
        bundle: path of the bundle that made the vectors, for ``bind-search``; may be empty.

    >>> index = Index(space="example", dim=2)
    >>> index.add(np.float32([[3, 4], [0, 1]]), ids=["a", "b"], modality="image", metadata=[{"n": 1}, {}])
    >>> index
    Index(2 vectors [2], exact; space example)
    >>> best = index.search(np.float32([1, 0]), k=1)[0][0]
    >>> best.id, round(best.score, 2), best.modality, best.metadata
    ('a', 0.6, 'image', {'n': 1})
    """

    def __init__(self, space: str, dim: int, approximate: bool = False, bundle: str = "") -> None:
        """An empty index.

        Args:
            space: fingerprint of the embedding space, for example ``model.space``.
            dim: length of a vector, for example ``model.embed_dim``.
            approximate: for large sets. The results are nearly always the same, in a small fraction of the
                time. It needs the extra ``index``.
            bundle: path of the bundle that makes the vectors, for ``bind-search``.

        Raises:
            OptionError: ``dim`` is below 1, or usearch is not installed.
        """
        if dim < 1:
            raise OptionError(f"dim={dim}", "not the length of a vector", "give the model's embed_dim")
        self.space = space
        self.dim = dim
        self.approximate = approximate
        self.bundle = bundle
        self._graph = ProximityGraph(dim) if approximate else None
        self._blocks: list[Vectors] = []
        self._entries = storage.Entries()

    @classmethod
    def of(cls, model: Model, approximate: bool = False) -> Index:
        """An empty index for the vectors of a model."""
        return cls(model.space, model.embed_dim, approximate, str(model.bundle.path))

    def add(
        self,
        vectors: Embeddings | npt.NDArray[np.floating[Any]],
        ids: Sequence[str],
        modality: str = "",
        metadata: Sequence[Metadata] | None = None,
    ) -> None:
        """Adds vectors; each is scaled to unit length.

        Args:
            vectors: floats ``[N, D]``, or ``Embeddings`` of one modality.
            ids: one str for each vector, for example its path. Ids need not differ.
            modality: the items' modality; by default that of the ``Embeddings``, else empty.
            metadata: one dict for each vector, of values that JSON can hold.

        Raises:
            SpaceError: the ``Embeddings`` are of another space.
            InputError: a shape, a length or a value does not fit. Then nothing was added.
        """
        if isinstance(vectors, Embeddings):
            require_same_space(self.space, vectors.space, "vectors")
            modality = modality or next(iter(vectors), "")
            rows = as_queries(vectors, self.dim)
        else:
            rows = unit_rows_of(np.asarray(vectors), self.dim, "vectors")
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
        """The ``k`` items nearest to each query, the best first.

        Args:
            query: floats ``[D]`` or ``[Q, D]``, or ``Embeddings`` of one modality.
            k: how many results each query gets, 1 or more.
            modality: search only among items of this modality. Such a search is always exact.

        Returns:
            One list for each query, shorter than ``k`` if there are fewer items. Items of equal score are in
            the order in which they were added.

        Raises:
            SpaceError: the ``Embeddings`` are of another space.
            InputError: the query's shape, dtype or values do not fit.
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
        """Writes the index to a folder.

        It is written under another name and then moved, so ``path`` is always a whole index.

        Raises:
            OptionError: ``path`` exists and is not an index.
        """
        storage.save(Path(path), self._header(), self.vectors, self._entries, self._graph)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Index:
        """Opens what :meth:`save` wrote. The vectors stay on disk and are memory-mapped.

        Raises:
            InputError: the folder is not an index, is damaged, or is of another version.
            OptionError: the index is approximate and usearch is not installed.
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
        """All vectors in the order in which they were added: float32 ``[N, D]`` of unit length."""
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0] if self._blocks else np.empty((0, self.dim), np.float32)

    @property
    def ids(self) -> list[str]:
        """All ids in the order in which they were added."""
        return list(self._entries.ids)

    @property
    def modalities(self) -> list[str]:
        """The modality of each item in the order in which they were added."""
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
        """Compares the queries with every vector, a block at a time, and keeps the best so far.

        Args:
            only: the rows to compare with; None: all.
        """
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
    """Indices of the ``k`` largest values, the largest first; equal values keep their order.

    >>> top(np.float32([1, 3, 2, 3]), 3).tolist()
    [1, 3, 2]
    """
    if k < len(values):
        # The k-th largest value. All values above it are chosen, and the first of those that equal it.
        threshold = np.partition(values, len(values) - k)[len(values) - k]
        above = np.flatnonzero(values > threshold)
        equal = np.flatnonzero(values == threshold)[: k - len(above)]
        chosen = np.sort(np.concatenate([above, equal]))
    else:
        chosen = np.arange(len(values))
    return np.asarray(chosen[np.argsort(-values[chosen], kind="stable")], np.int64)
