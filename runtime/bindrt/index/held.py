"""All that an index holds, row by row: vectors, entries, and the graph if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bindrt.embeddings import Vectors
from bindrt.errors import InputError
from bindrt.index import exact
from bindrt.index.entries import Entries, Mask
from bindrt.index.graph import ProximityGraph
from bindrt.index.ids import Id
from bindrt.index.mapped import MappedFile
from bindrt.index.vectors import Dtype, UnitRows

#: When so many rows are gone, and more than are there, their memory is freed.
_WORTH_COMPACTING = 1000


@dataclass
class Held:
    """Rows with the same number belong together.

    Attributes:
        files: those that ``rows`` and ``graph`` are mapped from.
    """

    rows: UnitRows
    entries: Entries
    graph: ProximityGraph | None
    files: list[MappedFile] = field(default_factory=list)

    @classmethod
    def empty(cls, dim: int, dtype: Dtype, approximate: bool) -> Held:
        return cls(UnitRows(dim, dtype), Entries(), ProximityGraph(dim, dtype) if approximate else None)

    def __len__(self) -> int:
        return len(self.entries) - self.entries.gone

    def append(self, rows: Vectors, names: Sequence[Id], modality: str, texts: Sequence[str]) -> None:
        self.require_whole()
        if self.graph is not None:
            self.graph.append(rows)
        self.rows.append(rows)
        self.entries.add(names, [modality] * len(names), texts)

    def remove(self, rows: Sequence[int]) -> None:
        """Removes rows; their numbers are free after :meth:`compact`."""
        if not rows:
            return
        self.require_whole()
        if self.graph is not None:
            self.graph.remove(np.array(rows))
        self.entries.remove(rows)
        if self.entries.gone > max(_WORTH_COMPACTING, len(self)):
            self.compact()

    def change(self, numbers: Sequence[int], rows: Vectors | None, texts: Sequence[str] | None) -> None:
        """Gives rows other vectors, other metadata, or both."""
        if rows is not None and len(rows):
            self.require_whole()
            if self.graph is not None:
                self.graph.replace(np.array(numbers), rows)
            self.rows.replace(np.array(numbers), rows)
        if texts is not None:
            self.entries.set_metadata(numbers, texts)

    def compact(self) -> None:
        """Drops the rows that are gone, so that rows count from 0 to the number of items."""
        if not self.entries.gone:
            return
        self.require_whole()
        stayed = self.entries.compact()
        self.rows.keep(stayed)
        if self.graph is not None:
            self.graph.keep(stayed)

    def rows_of(self, name: Id, modality: str | None) -> list[int]:
        """The rows of an id.

        Raises:
            InputError: there is none.
        """
        rows = self.entries.rows_of(name, modality)
        if not rows:
            whose = "" if modality is None else f" as {modality}"
            raise InputError(f"id {name!r}"[:200], f"not in the index{whose}", "see Index.ids")
        return rows

    def row_of(self, name: Id, modality: str | None) -> int:
        """The only row of an id.

        Raises:
            InputError: there is none, or there are several.
        """
        rows = self.rows_of(name, modality)
        if len(rows) > 1:
            modalities = sorted({self.entries.modality(row) for row in rows})
            remedy = f"give modality=, one of {', '.join(modalities)}"
            if len(modalities) == 1:
                remedy = 'remove it and add it once, with on_duplicate="replace"'
            raise InputError(f"id {name!r}"[:200], f"{len(rows)} items have it", remedy)
        return rows[0]

    def refuse_duplicates(self, names: Sequence[Id], modality: str) -> None:
        """Raises InputError for an id that stands twice in ``names``, or is there already."""
        seen: set[Id] = set()
        for i, name in enumerate(names):
            if name in seen or self.entries.rows_of(name, modality):
                where = "stands there twice" if name in seen else "is in the index already"
                raise InputError(
                    f"ids[{i}] {name!r}"[:200], where, 'leave it out, or on_duplicate="replace" or "keep"'
                )
            seen.add(name)

    def vectors_of(self, numbers: Sequence[int]) -> Vectors:
        self.require_whole()
        return self.rows.take(np.array(numbers, np.int64))

    def whole(self) -> Vectors:
        """All vectors, float32 ``[N, D]``."""
        self.require_whole()
        return self.rows.whole()

    def exact(
        self, queries: Vectors, k: int | None, mask: Mask | None, floor: float | None, block: int
    ) -> list[list[tuple[int, float]]]:
        """The best rows of ``mask`` for each query, with scores; see :func:`bindrt.index.exact.nearest`."""
        self.require_whole()
        found = exact.nearest(self.rows, queries, k, mask, floor, block)
        return [list(zip(rows.tolist(), scores.tolist(), strict=True)) for rows, scores in found]

    def nearest(
        self, queries: Vectors, k: int, floor: float | None, block: int
    ) -> list[list[tuple[int, float]]]:
        """The same among all rows, by the graph if there is one."""
        if self.graph is None:
            return self.exact(queries, k, self.entries.mask(None, None), floor, block)
        self.require_whole()
        if not len(self):
            return [[] for _ in queries]
        found = []
        for query, rows in zip(queries, self.graph.search(queries, min(k, len(self))), strict=True):
            rows = np.sort(rows)  # equal scores in the order of adding
            scores = exact.possible(query @ self.rows.take(rows).T, rows)
            best = exact.best_of(scores, None, floor)
            found.append(list(zip(rows[best].tolist(), scores[best].tolist(), strict=True)))
        return found

    def pairs(self, mask: Mask | None, floor: float, most: int) -> list[tuple[int, int, float]]:
        """Rows that are near each other, and their scores; see :func:`bindrt.index.exact.pairs`."""
        self.require_whole()
        every = np.ones(len(self.entries), np.bool_) if mask is None else mask
        first, second, scores = exact.pairs(self.rows, every, floor, most)
        return list(zip(first.tolist(), second.tolist(), scores.tolist(), strict=True))

    def require_whole(self) -> None:
        """Raises InputError if a mapped file was cut."""
        for file in self.files:
            file.require_whole()
