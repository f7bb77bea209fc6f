"""Approximate search with usearch's proximity graph (HNSW)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Vectors
from bindrt.errors import OptionError
from bindrt.extras import install
from bindrt.index.mapped import MappedFile, damaged

Numbers = npt.NDArray[np.int64]

#: So many rows are added by one thread: those that several threads add at once do not see each other,
#: and in a small graph that leaves about one in a thousand that no search reaches.
_ADDED_BY_ONE_THREAD = 10_000


class ProximityGraph:
    """A usearch index. Its keys count up in the order of the rows; similarity is the inner product.

    A row's key is its number until rows before it are dropped; then ``_keys`` has the keys by row.
    """

    def __init__(self, dim: int, dtype: str = "float32") -> None:
        # usearch's int8 scales all rows by one number, which leaves few steps for long vectors.
        self._index: Any = _usearch().Index(
            ndim=dim, metric="ip", dtype="f32" if dtype == "float32" else "f16"
        )
        self._dim = dim
        self._mapped: MappedFile | None = None  # where it is mapped from; a mapped graph cannot change
        self._keys: Numbers | None = None
        self._next = 0

    def append(self, rows: Vectors) -> None:
        """Adds vectors ``[N, D]`` of unit length, as the last rows."""
        if not len(rows):
            return
        self._unmap()
        keys = np.arange(self._next, self._next + len(rows), dtype=np.int64)
        self._add(keys, rows)
        self._next += len(rows)
        if self._keys is not None:
            self._keys = np.concatenate([self._keys, keys])

    def replace(self, numbers: Numbers, rows: Vectors) -> None:
        """Puts vectors in the place of rows."""
        self.remove(numbers)
        self._add(self._keys_of(numbers), rows)

    def remove(self, numbers: Numbers) -> None:
        """Forgets rows; their numbers stay until :meth:`keep`."""
        self._unmap()
        self._index.remove(self._keys_of(numbers).astype(np.uint64))

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drops the rows whose ``mask`` is False, which were removed before."""
        self._keys = np.flatnonzero(mask) if self._keys is None else self._keys[mask]

    def keys(self) -> Numbers | None:
        """The key of each row, in order; None if they count from 0."""
        return self._keys

    def search(self, queries: Vectors, k: int) -> list[Numbers]:
        """The numbers of up to ``k`` near rows for each query, the best first."""
        # One by one: usearch pads the results of a batch if it finds fewer.
        return [self._rows_of(self._index.search(query, k).keys.astype(np.int64)) for query in queries]

    def save(self, path: Path) -> None:
        self._index.save(str(path))

    def load(self, file: MappedFile, path: Path, count: int, keys: Numbers | None) -> None:
        """Uses a saved graph of ``count`` vectors where it is mapped; ``path`` is for errors.

        Raises:
            InputError: it is damaged, or it has another number or length of vectors.
        """
        try:
            self._index = _usearch().Index.restore(file.bytes, view=True)
        except Exception as error:  # usearch raises what it likes
            raise damaged(str(path), f"cannot be read ({error})") from None
        if self._index is None or len(self._index) != count or self._index.ndim != self._dim:
            raise damaged(str(path), "it is not the graph of these vectors")
        if keys is not None and (np.diff(keys, prepend=-1) <= 0).any():
            raise damaged(str(path), "the keys of its rows are not in order")
        self._mapped, self._keys = file, keys
        self._next = count if keys is None else int(keys[-1]) + 1 if count else 0

    def _add(self, keys: Numbers, rows: Vectors) -> None:
        first = max(0, _ADDED_BY_ONE_THREAD - len(self._index))
        for part, threads in ((slice(first), 1), (slice(first, None), 0)):  # 0: all
            if len(keys[part]):
                self._index.add(keys[part].astype(np.uint64), rows[part], threads=threads)

    def _unmap(self) -> None:
        """Reads a mapped graph into memory, so that it can change."""
        if self._mapped is not None:
            self._mapped.require_whole()
            self._index = _usearch().Index.restore(self._mapped.bytes, view=False)
            self._mapped = None

    def _keys_of(self, numbers: Numbers) -> Numbers:
        return numbers if self._keys is None else self._keys[numbers]

    def _rows_of(self, keys: Numbers) -> Numbers:
        """The rows of keys; a damaged graph may have keys that no row has."""
        rows = keys if self._keys is None else np.searchsorted(self._keys, keys)
        last = self._next if self._keys is None else len(self._keys)
        wrong = (rows < 0) | (rows >= last)
        if not wrong.any() and self._keys is not None:
            wrong = self._keys[rows] != keys
        if wrong.any():
            raise damaged("the graph of the index", "it names rows that are not there")
        return rows


def _usearch() -> Any:
    try:
        import usearch.index
    except ImportError:
        raise OptionError("an approximate index", "usearch is not installed", install("index")) from None
    return usearch.index
