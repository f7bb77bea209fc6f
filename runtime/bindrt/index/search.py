"""The index: vectors with ids and metadata, and the search for the nearest ones."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bindrt.arrays import read_only
from bindrt.bundle.space import require_comparable, require_same_space
from bindrt.embeddings import Embeddings, Vectors
from bindrt.errors import InputError, OptionError
from bindrt.index import storage
from bindrt.index.filters import Where, as_condition
from bindrt.index.held import Held
from bindrt.index.ids import Id, as_id, as_ids, own_ids
from bindrt.index.metadata import Metadata, as_texts
from bindrt.index.query import as_queries, as_rows
from bindrt.index.results import Entry, Hit, Pair
from bindrt.index.vectors import DTYPES, MAX_DIM, Dtype
from bindrt.model import Model
from bindrt.numeric import is_number
from bindrt.option_checks import chosen_bool, require_whole
from bindrt.text import clean

_BLOCK = 1 << 16  # rows that are compared at once; their scores stay in the processor's cache

Array = npt.NDArray[np.floating[Any]]
OnDuplicate = Literal["raise", "replace", "keep"]


class Index:
    """Vectors of one space, to be searched.

    Several threads may search at once. It has no lock: do not change it while another thread uses it.

    Attributes:
        space: fingerprint of the embedding space.
        dim: length of a vector.
        approximate: whether search walks a graph (usearch) instead of comparing with every vector.
        bundle: path of the bundle that made the vectors, for ``bind-search``; may be empty.
        dtype: how vectors are held: ``float32``, ``float16`` or ``int8``.

    >>> index = Index(space="example", dim=2)
    >>> index.add(np.float32([[3, 4], [0, 1]]), ids=["a", "b"], modality="image", metadata=[{"n": 1}, {}])
    >>> index
    Index(2 vectors [2], exact; space example)
    >>> best = index.search(np.float32([1, 0]), k=1)[0][0]
    >>> best.id, round(best.score, 2), best.modality, best.metadata
    ('a', 0.6, 'image', {'n': 1})
    >>> index.update(np.float32([[1, 0]]), ids=["b"])
    >>> index.ids, index.modalities, index.metadata, index.vectors.tolist()[1]
    (['a', 'b'], ['image', 'image'], [{'n': 1}, {}], [1.0, 0.0])
    >>> index.remove("a")
    1
    >>> index.save("images.index")
    >>> Index.load("images.index").ids
    ['b']
    """

    def __init__(
        self,
        space: str,
        dim: int,
        approximate: bool = False,
        bundle: str | os.PathLike[str] = "",
        dtype: Dtype = "float32",
    ) -> None:
        """An empty index.

        Args:
            space: fingerprint of the embedding space, for example ``model.space``.
            dim: length of a vector, for example ``model.embed_dim``.
            approximate: for large sets. The results are nearly always the same, in a small fraction of the
                time. It needs the extra ``index``.
            bundle: path of the bundle that makes the vectors, for ``bind-search``.
            dtype: ``float16`` takes half the memory and changes scores by up to 0.0005, ``int8`` a quarter
                and by up to 0.01.

        Raises:
            OptionError: a value that cannot be, or usearch is not installed.
        """
        require_whole("dim", dim, "values of a vector", 1, MAX_DIM)
        if dtype not in DTYPES:
            raise OptionError(f"dtype={dtype!r}", "unknown", f"one of {', '.join(DTYPES)}")
        if not isinstance(space, str) or not space:
            raise OptionError(f"space={space!r}"[:80], "not the name of a space", "give model.space")
        self.space = space
        self.dim = int(dim)
        self.approximate = chosen_bool("approximate", approximate)
        self.bundle = clean(os.fsdecode(bundle))
        self.dtype = dtype
        self._held = Held.empty(self.dim, dtype, self.approximate)

    @classmethod
    def of(cls, model: Model, approximate: bool = False, dtype: Dtype = "float32") -> Index:
        """An empty index for the vectors of a model.

        Raises:
            OptionError: ``model`` is not a loaded model, or a value that cannot be.

        >>> Index.of(model).space == model.space
        True
        """
        if not isinstance(model, Model):
            raise OptionError(
                f"Index.of({model!r})"[:80], "not a model", "give the model that bindrt.load(…) returns"
            )
        return cls(model.space, model.embed_dim, approximate, model.bundle.path, dtype)

    def add(
        self,
        vectors: Embeddings | Array,
        ids: Iterable[Id | os.PathLike[str]] | None = None,
        modality: str = "",
        metadata: Iterable[Metadata | None] | None = None,
        on_duplicate: OnDuplicate = "raise",
    ) -> None:
        """Adds vectors; each is scaled to unit length.

        Args:
            vectors: floats ``[N, D]``, or ``Embeddings`` of one modality.
            ids: one for each vector: a str, a path or a whole number, in a list, array, Series, … Items of
                different modalities may have the same id. None: the paths or texts that the ``Embeddings``
                were made from.
            modality: the items' modality; by default that of the ``Embeddings``, else empty.
            metadata: one dict for each vector, of values that JSON can hold.
            on_duplicate: an id of this modality is there already, or stands twice in ``ids``: ``raise`` an
                error, ``replace`` the earlier one, or ``keep`` both.

        Raises:
            SpaceError: the ``Embeddings`` are of another space.
            InputError: a shape, a length, a value or an id does not fit. Then nothing was added.
            OptionError: ``on_duplicate`` is none of the three.
        """
        if on_duplicate not in ("raise", "replace", "keep"):
            raise OptionError(f"on_duplicate={on_duplicate!r}", "unknown", "use raise, replace or keep")
        rows, modality = self._as_rows(vectors, modality)
        if ids is None and isinstance(vectors, Embeddings):
            ids = own_ids(vectors)
        names, texts = as_ids(ids, len(rows)), as_texts(metadata, len(rows))
        if on_duplicate == "raise":
            self._held.refuse_duplicates(names, modality)
        elif on_duplicate == "replace":
            last = sorted({name: i for i, name in enumerate(names)}.values())
            names, texts, rows = [names[i] for i in last], [texts[i] for i in last], rows[last]
            self._held.remove([row for name in names for row in self._held.entries.rows_of(name, modality)])
        self._held.append(rows, names, modality, texts)

    def get(self, id: Id | os.PathLike[str], modality: str | None = None) -> Entry:
        """The item with an id.

        Args:
            modality: whose item, where several modalities have the id.

        Raises:
            InputError: there is none, or there are several.

        >>> index = Index(space="example", dim=2)
        >>> index.add(np.float32([[3, 4]]), ids=["a"], metadata=[{"n": 1}])
        >>> index.get("a").metadata
        {'n': 1}
        """
        row, entries = self._held.row_of(as_id(id), modality), self._held.entries
        (vector,) = self._held.vectors_of([row])
        return Entry(entries.ids[row], entries.modality(row), entries.metadata(row), vector)

    def remove(self, ids: Id | Iterable[Id | os.PathLike[str]], modality: str | None = None) -> int:
        """Removes items by their ids.

        Args:
            ids: one or several.
            modality: only the items of this one; by default of all.

        Returns:
            How many items were removed; at least one for each id.

        Raises:
            InputError: an id is not there. Then nothing was removed.
        """
        single = isinstance(ids, (str, int, np.integer, os.PathLike))
        rows = [self._held.rows_of(name, modality) for name in as_ids([ids] if single else ids)]
        found = sorted({row for rows_of_one in rows for row in rows_of_one})
        self._held.remove(found)
        return len(found)

    def update(
        self,
        vectors: Embeddings | Array | None,
        ids: Iterable[Id | os.PathLike[str]],
        modality: str | None = None,
        metadata: Iterable[Metadata | None] | None = None,
    ) -> None:
        """Gives items that are there another vector, other metadata, or both; they keep their place.

        Args:
            vectors: floats ``[N, D]`` or ``Embeddings`` of one modality; None: they stay.
            ids: one for each vector, none twice.
            modality: whose items, where several modalities have an id; by default that of the ``Embeddings``.
            metadata: one dict for each; None: they stay.

        Raises:
            SpaceError: the ``Embeddings`` are of another space.
            InputError: an id is not there or stands for several items, or a shape or value does not fit.
                Then nothing was changed.
        """
        rows = None
        if vectors is not None:
            rows, given = self._as_rows(vectors, modality or "")
            modality = given or modality
        names = as_ids(ids, None if rows is None else len(rows))
        texts = None if metadata is None else as_texts(metadata, len(names))
        found = [self._held.row_of(name, modality) for name in names]
        if len(set(found)) != len(found):
            raise InputError("ids", "an id stands there twice", "give each once")
        self._held.change(found, rows, texts)

    def search(
        self,
        query: Embeddings | Array,
        k: int | None = 10,
        modality: str | None = None,
        where: Where | None = None,
        min_score: float | None = None,
    ) -> list[list[Hit]]:
        """The items nearest to each query, the best first.

        Args:
            query: floats ``[D]`` or ``[Q, D]``, or ``Embeddings`` of one modality.
            k: how many results each query gets at most; None: all, with ``min_score``.
            modality: search only among items of this modality.
            where: search only among items whose metadata fulfils this: a dict of fields, for example
                ``{"album": "summer", "year": {">=": 2020}, "city": ["Bonn", "Ulm"]}``, or a function of the
                metadata that returns a bool. Comparisons: ``== != < <= > >=``.
            min_score: a radius: only items whose cosine similarity is at least this, -1 to 1. With ``k=None``
                every such item is found.

        A search with ``modality``, ``where`` or without ``k`` compares with every such item, also if the
        index is approximate.

        Returns:
            One list for each query. Items of equal score are in the order in which they were added.

        Raises:
            SpaceError: the ``Embeddings`` are of another space.
            InputError: the query's shape, dtype or values do not fit, or a file of the index is damaged.
            OptionError: another argument is not what it must be.
        """
        if k is not None or min_score is None:
            require_whole("k", k, "results", 1)
        floor = _as_score(min_score)
        if isinstance(query, Embeddings):
            require_comparable(self.space, query.space, "the query")
        queries = as_queries(query, self.dim)
        condition = None if where is None else as_condition(where)
        if k is None or modality is not None or condition is not None:
            mask = self._held.entries.mask(modality, condition)
            found = self._held.exact(queries, k, mask, floor, _BLOCK)
        else:
            found = self._held.nearest(queries, int(k), floor, _BLOCK)
        return [[self._hit(row, score) for row, score in hits] for hits in found]

    def pairs(
        self,
        min_score: float,
        modality: str | None = None,
        where: Where | None = None,
        most: int = 100_000,
    ) -> list[Pair]:
        """Pairs of items that are near each other, the nearest first: duplicates and near-duplicates.

        It compares every item with every other: 20 000 items of 1024 values take a few seconds, ten times as
        many a hundred times as long.

        Args:
            min_score: the smallest cosine similarity of a pair.
            modality, where: only among these items; see :meth:`search`.
            most: so many pairs are kept, the best.

        Raises:
            InputError: a file of the index is damaged.
            OptionError: an argument is not what it must be.

        >>> index = Index(space="example", dim=2)
        >>> index.add(np.float32([[3, 4], [0, 1], [3, 4.1]]), ids=["a", "b", "c"])
        >>> [(pair.first, pair.second) for pair in index.pairs(0.99)]
        [('a', 'c')]
        """
        require_whole("most", most, "pairs", 1)
        floor = _as_score(min_score)
        if floor is None:
            raise OptionError("min_score=None", "not a score", "give a number from -1 to 1")
        mask = self._held.entries.mask(modality, None if where is None else as_condition(where))
        ids, modality_of = self._held.entries.ids, self._held.entries.modality
        return [
            Pair(ids[a], ids[b], score, (modality_of(a), modality_of(b)))
            for a, b, score in self._held.pairs(mask, floor, most)
        ]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the index to a folder.

        It is written beside it and then put there in one step, so ``path`` is always a whole index; what a
        killed save has left is removed by the next. Two that save to one place wait for each other.

        Raises:
            OptionError: ``path`` exists and is not an index.
            Error: the system refuses to write.
        """
        held = self._held
        held.compact()
        header = storage.Header(self.space, self.dim, len(self), self.approximate, self.bundle, self.dtype)
        storage.save(storage.as_path(path), header, held)

    @classmethod
    def load(cls, path: str | os.PathLike[str], verify: bool = True) -> Index:
        """Opens what :meth:`save` wrote. The vectors stay on disk and are memory-mapped.

        Args:
            verify: read every vector once, to see that all are finite and of unit length, and the graph, to
                see that it is the one that was saved. False opens a large index at once; a search still
                refuses scores that cannot be.

        Raises:
            InputError: the folder is not an index, is damaged, or is of another version.
            OptionError: the index is approximate and usearch is not installed, or ``path`` is not a path.
        """
        header, held = storage.load(storage.as_path(path), chosen_bool("verify", verify))
        index = cls(header.space, header.dim, False, header.bundle, header.dtype)
        index.approximate, index._held = header.approximate, held
        return index

    @property
    def vectors(self) -> Vectors:
        """All vectors in the order in which they were added: float32 ``[N, D]`` of unit length.

        Do not use it any more when a file of the index was cut, or the index was changed.
        """
        self._held.compact()
        return read_only(self._held.whole())

    @property
    def ids(self) -> list[Id]:
        """All ids in the order in which they were added."""
        self._held.compact()
        return list(self._held.entries.ids)

    @property
    def modalities(self) -> list[str]:
        """The modality of each item in the order in which they were added."""
        self._held.compact()
        return self._held.entries.modalities()

    @property
    def metadata(self) -> list[dict[str, Any]]:
        """The metadata of each item in the order in which they were added."""
        self._held.compact()
        return [self._held.entries.metadata(row) for row in range(len(self))]

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, id: object) -> bool:
        return bool(self._held.entries.rows_of(as_id(id)))

    def __repr__(self) -> str:
        kind = "approximate" if self.approximate else "exact"
        dtype = "" if self.dtype == "float32" else f", {self.dtype}"
        return f"Index({len(self)} vectors [{self.dim}]{dtype}, {kind}; space {self.space})"

    def _as_rows(self, vectors: Embeddings | Array, modality: str) -> tuple[Vectors, str]:
        """Vectors as rows of unit length, and their modality."""
        if not isinstance(modality, str):
            raise InputError("modality", f"{type(modality).__name__} is not a str", 'for example "image"')
        if isinstance(vectors, Embeddings):
            require_same_space(self.space, vectors.space, "vectors")
            modality = modality or next(iter(vectors), "")
        return as_rows(vectors, self.dim, "vectors"), clean(modality)

    def _hit(self, row: int, score: float) -> Hit:
        entries = self._held.entries
        return Hit(entries.ids[row], score, entries.modality(row), entries.metadata(row))


def _as_score(value: float | None) -> float | None:
    if value is None or (is_number(value) and -1 <= value <= 1):
        return value
    raise OptionError(f"min_score={value!r}"[:80], "not a cosine similarity", "give a number from -1 to 1")
