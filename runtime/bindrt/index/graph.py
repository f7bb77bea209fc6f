"""Approximate search with usearch's proximity graph (HNSW)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bindrt.embeddings import Vectors
from bindrt.errors import InputError, OptionError
from bindrt.extras import install


class ProximityGraph:
    """A usearch index whose keys are row numbers; similarity is the inner product of unit vectors."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._index: Any = _usearch().Index(ndim=dim, metric="ip", dtype="f32")
        self._mapped: Path | None = None  # the file it is mapped from; a mapped graph cannot grow

    def add(self, first: int, rows: Vectors) -> None:
        """Adds vectors ``[N, D]`` of unit length; their row numbers count up from ``first``."""
        if self._mapped is not None:
            self._index = _usearch().Index.restore(str(self._mapped), view=False)
            self._mapped = None
        if len(rows):
            self._index.add(np.arange(first, first + len(rows), dtype=np.uint64), rows)

    def search(self, queries: Vectors, k: int) -> list[list[tuple[int, float]]]:
        """Row number and similarity of up to ``k`` near rows for each query, the best first."""
        found = []
        for query in queries:  # one by one: usearch pads the results of a batch if it finds fewer
            matches = self._index.search(query, k)
            pairs = [
                (int(key), 1.0 - float(d)) for key, d in zip(matches.keys, matches.distances, strict=True)
            ]
            found.append(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
        return found

    def save(self, path: Path) -> None:
        self._index.save(str(path))

    def load(self, path: Path, count: int) -> None:
        """Memory-maps a saved graph of ``count`` vectors.

        Raises:
            InputError: it is missing or damaged, or it has another number or length of vectors.
        """
        try:
            self._index = _usearch().Index.restore(str(path), view=True)
        except (RuntimeError, ValueError, OSError) as error:
            raise InputError(str(path), f"cannot be read ({error})", "build the index again") from None
        if self._index is None or len(self._index) != count or self._index.ndim != self._dim:
            raise InputError(str(path), "it is not the graph of these vectors", "build the index again")
        self._mapped = path


def _usearch() -> Any:
    try:
        import usearch.index
    except ImportError:
        raise OptionError("an approximate index", "usearch is not installed", install("index")) from None
    return usearch.index
