"""``Embeddings``: vectors by modality, with the errors, notes and sources of single items."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Union

import numpy as np
import numpy.typing as npt

from bindrt.arrays import is_array, shape_text, to_numpy
from bindrt.bundle.space import require_comparable, require_same_space
from bindrt.by_modality import ByModality
from bindrt.embeddings.html import as_html
from bindrt.embeddings.sources import Sources
from bindrt.embeddings.vectors import (
    Vectors,
    Weights,
    require_embedded,
    summed,
    top,
    unit_rows,
    weights_of,
)
from bindrt.errors import Error, InputError, OptionError
from bindrt.notes import Notes
from bindrt.option_checks import require_whole

if TYPE_CHECKING:
    import pandas as pd

    from bindrt.embeddings.files import Table


class Nearest(NamedTuple):
    """The nearest items of each item, the best first.

    Attributes:
        rows: their row numbers, int64 ``[N, k]``; -1 for an item that failed.
        scores: their cosine similarities, float32 ``[N, k]``; NaN for an item that failed.
    """

    rows: npt.NDArray[np.int64]
    scores: Vectors


@dataclass(frozen=True, eq=False, repr=False)
class Embeddings(ByModality, Mapping[str, Vectors]):
    """A read-only mapping from modality to vectors: float32 ``[N, D]``, one row for each item, in order.

    ``e["image"]`` and ``e.image`` are the same array.

    Attributes:
        vectors: the arrays by modality.
        space: fingerprint of the embedding space; vectors of different spaces cannot be compared.
        normalized: whether each row has unit length.
        errors: with ``on_error="skip"`` the error of each item that failed, by modality and row, for example
            ``{("image", 3): Error}``. The row of such an item is NaN.
        notes: what preprocessing found, by modality and row, for example
            ``{("depth", 0): {"missing_pixels": 12}}``.
        sources: by modality the path, URL or text of each item; None for arrays and bytes.
        spans: start and end in seconds of rows that are windows of recordings, by modality and row.

    >>> rows = np.eye(2, 4, dtype=np.float32)
    >>> e = Embeddings({"image": rows, "text": rows[:1]}, space="example", normalized=True)
    >>> e
    Embeddings(image [2, 4], text [1, 4]; unit length; space example)
    >>> e.similarity("image", "text").tolist()
    [[1.0], [0.0]]
    """

    vectors: Mapping[str, Vectors]
    space: str
    normalized: bool
    errors: Mapping[tuple[str, int], Error] = field(default_factory=dict)
    notes: Mapping[tuple[str, int], Notes] = field(default_factory=dict)
    sources: Mapping[str, Sources] = field(default_factory=dict)
    spans: Mapping[tuple[str, int], tuple[float, float]] = field(default_factory=dict)

    def __getitem__(self, modality: str) -> Vectors:
        return self.vectors[modality]

    def __iter__(self) -> Iterator[str]:
        return iter(self.vectors)

    def __len__(self) -> int:
        return len(self.vectors)

    if not TYPE_CHECKING:  # type checkers go by ByModality, and find a name that is none

        def __getattr__(self, name: str) -> Vectors:
            # Python asks only for names that are not attributes; while unpickling, "vectors" is one of them.
            vectors = self.__dict__.get("vectors", {})
            if name in vectors:
                return vectors[name]
            raise AttributeError(
                f"no modality or attribute {name!r}; embedded: {', '.join(vectors) or 'nothing'}"
            )

    # Mappings compare their values, but arrays compare element by element and give no single answer.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def similarity(self, a: Comparable, b: Comparable) -> Vectors:
        """Cosine similarity of each item of one set with each item of another.

        Args:
            a, b: modalities that were embedded, which may be the same; or other ``Embeddings`` of one
                modality; or floats ``[N, D]`` or ``[D]``.

        Returns:
            float32 ``[Na, Nb]``, each value from -1 to 1, NaN for an item that failed.

        Raises:
            OptionError: a modality was not embedded.
            InputError: an array does not fit.
            SpaceError: the other ``Embeddings`` are of another space.

        >>> found = model.embed(text=["a bell ringing", "a car driving"], audio="bell.wav")
        >>> found.similarity("audio", "text").argmax(axis=1).tolist()
        [0]
        """
        return np.asarray(unit_rows(self._rows(a, "a")) @ unit_rows(self._rows(b, "b")).T, np.float32)

    def topk(self, a: Comparable, b: Comparable, k: int = 5) -> Nearest:
        """For each item of ``a`` the ``k`` nearest items of ``b``, fewer if there are fewer.

        Args:
            a, b: as for :meth:`similarity`. Items of ``b`` that failed are left out.

        Raises:
            OptionError: ``k`` is not a whole number above 0; or as for :meth:`similarity`.

        >>> rows = np.eye(3, dtype=np.float32)
        >>> e = Embeddings({"image": rows, "text": rows[1:2]}, space="example", normalized=True)
        >>> e.topk("text", "image", k=2).rows.tolist()
        [[1, 0]]
        """
        require_whole("k", k, "results", 1)
        scores = self.similarity(a, b)
        good = np.flatnonzero(np.isfinite(self._rows(b, "b")).all(axis=1))
        rows = np.full((len(scores), min(k, len(good))), -1, np.int64)
        for i, values in enumerate(scores[:, good]):
            if not np.isnan(values).any():
                rows[i] = good[top(values, k)]
        best = np.take_along_axis(scores, np.maximum(rows, 0), axis=1) if len(good) else scores[:, :0]
        return Nearest(rows, np.where(rows < 0, np.nan, best).astype(np.float32))

    def combine(self, weights: Weights | None = None) -> Vectors:
        """Row by row the weighted sum of the modalities' unit vectors: 3 images and 3 sounds make 3 vectors.

        Args:
            weights: by modality: one number for all its items, or a list with one for each. The default is 1.

        Returns:
            float32 ``[N, D]`` of unit length; NaN where an item failed. A modality with one item counts in
            every row. (:func:`bindrt.index.combine` makes one query of all items.)

        Raises:
            OptionError: a weight is not a number, or its modality was not embedded.
            InputError: the modalities have different numbers of items, or a sum is zero.

        >>> found = model.embed(image=["bell.jpg", "car.jpg"], audio=["car.wav", "bell.wav"])
        >>> found.combine({"audio": 0.5}).shape
        (2, 96)
        """
        weights = weights or {}
        require_embedded(weights, self.vectors)
        counts = {m: len(rows) for m, rows in self.vectors.items()}
        count = max(counts.values(), default=0)
        if not counts or any(n not in (1, count) for n in counts.values()):
            given = ", ".join(f"{m} {n}" for m, n in counts.items()) or "nothing"
            raise InputError(
                "combine", f"the numbers of items differ: {given}", "give as many of each, or one"
            )
        parts = [
            weights_of(m, weights, len(rows))[:, None] * unit_rows(rows) + np.zeros((count, 1))
            for m, rows in self.vectors.items()
        ]
        return summed(parts, "combine")

    @staticmethod
    def concat(parts: Iterable[Embeddings]) -> Embeddings:
        """The items of several ``Embeddings`` one after the other, modality by modality.

        Raises:
            SpaceError: they are of different spaces.
            OptionError: there is none, or some are of unit length and some are not.

        >>> parts = [model.embed(image=path) for path in ("bell.jpg", "car.jpg")]
        >>> bindrt.Embeddings.concat(parts).image.shape
        (2, 96)
        """
        return concatenated(list(parts))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a Parquet or npz file, with the columns that ``bind-embed`` writes.

        Raises:
            OptionError: the path ends in neither ``.parquet`` nor ``.npz``.
            Error: the system refuses to write.

        >>> model.embed(image="bell.jpg").save("bell.parquet")
        >>> bindrt.Embeddings.load("bell.parquet").image.shape
        (1, 96)
        """
        from bindrt.embeddings import files  # it imports pyarrow, which takes a tenth of a second

        dim = max((rows.shape[1] for rows in self.vectors.values()), default=1)
        places = [(m, i) for m, rows in self.vectors.items() for i in range(len(rows))]
        texts: dict[str, list[str | None]] = {
            "source": [self.source(m, i) for m, i in places],
            "modality": [m for m, _ in places],
            "error": [str(self.errors[place]) if place in self.errors else None for place in places],
            "notes": [files.as_text(self.notes.get(place, {})) for place in places],
        }
        vectors = np.concatenate([np.empty((0, dim), np.float32), *self.vectors.values()])
        spans = [self.spans.get(place) for place in places]
        table = files.Table(self.space, self.normalized, list(self.vectors), vectors, texts, spans=spans)
        files.write(files.as_path(path), table)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Embeddings:
        """Reads what :meth:`save` wrote, or a Parquet or npz file of ``bind-embed``.

        Raises:
            OptionError: the path ends in neither ``.parquet`` nor ``.npz``.
            InputError: the file is missing, damaged, or something else.

        >>> model.embed(image="bell.jpg").save("bell.vectors.npz")
        >>> bindrt.Embeddings.load("bell.vectors.npz").source("image", 0)
        'bell.jpg'
        """
        from bindrt.embeddings import files

        return from_table(files.read(files.as_path(path)))

    def source(self, modality: str, row: int) -> str | None:
        """The path, URL or text of an item; None if it has none.

        >>> model.embed(image="bell.jpg").source("image", 0)
        'bell.jpg'
        """
        known = self.sources.get(modality, ())
        return known[row] if row < len(known) else None

    def to_pandas(self) -> pd.DataFrame:
        """A table with a row for each item: ``modality``, ``source``, ``error``, ``notes``, ``vector``.

        Where there are windows, also ``start`` and ``end``.

        Raises:
            OptionError: pandas is not installed.

        >>> list(model.embed(image="bell.jpg").to_pandas().modality)
        ['image']
        """
        try:
            import pandas as pd
        except ImportError:
            raise OptionError("to_pandas", "pandas is not installed", "pip install pandas") from None
        places = [(m, i) for m, rows in self.vectors.items() for i in range(len(rows))]
        times = [self.spans.get(place, (np.nan, np.nan)) for place in places]
        windows = {"start": [s for s, _ in times], "end": [e for _, e in times]} if self.spans else {}
        return pd.DataFrame(
            {
                **windows,
                "modality": [m for m, _ in places],
                "source": [self.source(m, i) for m, i in places],
                "error": [str(self.errors[place]) if place in self.errors else None for place in places],
                "notes": [dict(self.notes.get(place, {})) for place in places],
                "vector": [self.vectors[m][i] for m, i in places],
            }
        )

    def __repr__(self) -> str:
        parts = [f"{name} {list(rows.shape)}" for name, rows in self.vectors.items()]
        if self.errors:
            parts.append(f"{len(self.errors)} errors")
        kind = "unit length" if self.normalized else "scaled"
        return f"Embeddings({', '.join(parts) or 'nothing'}; {kind}; space {self.space})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the items, small pictures of those that are picture files."""
        return as_html(repr(self), self.vectors, self.sources, self.errors)

    def _rows(self, what: Comparable, name: str) -> Vectors:
        """The vectors that ``what`` names or is, ``[N, D]``."""
        if isinstance(what, str):
            if what not in self.vectors:
                raise self._not_embedded(what, name)
            return self.vectors[what]
        if isinstance(what, Embeddings):
            require_comparable(self.space, what.space, name)
            if len(what) != 1:
                raise InputError(name, f"it has {len(what)} modalities", "give one, for example e['image']")
            return next(iter(what.vectors.values()))
        return self._as_rows(what, name)

    def _not_embedded(self, what: object, name: str) -> OptionError:
        there = ", ".join(self.vectors) or "nothing"
        return OptionError(
            f"{name}={what!r}"[:200],
            "was not embedded",
            f"embedded: {there}; or give Embeddings or floats [N, D]",
        )

    def _as_rows(self, what: object, name: str) -> Vectors:
        if not is_array(what):
            raise self._not_embedded(what, name)
        rows = to_numpy(what, name)
        rows = rows[None] if rows.ndim == 1 else rows
        dims = {rows.shape[1] for rows in self.vectors.values()} or {rows.shape[-1]}
        if rows.ndim != 2 or rows.dtype.kind != "f" or rows.shape[1] not in dims:
            raise InputError(name, f"it is {shape_text(rows)}", f"give floats [N, {min(dims)}]")
        return rows


#: What :meth:`Embeddings.similarity` compares.
Comparable = Union[str, Embeddings, npt.NDArray[np.floating[Any]]]


def concatenated(parts: list[Embeddings]) -> Embeddings:
    """See :meth:`Embeddings.concat`."""
    for part in parts:
        if not isinstance(part, Embeddings):
            raise OptionError(
                "concat", f"{type(part).__name__} is not Embeddings", "give a list of Embeddings"
            )
        require_same_space(parts[0].space, part.space, "concat")
    if len({part.normalized for part in parts}) != 1:
        problem = "some are of unit length and some are not" if parts else "there is none"
        raise OptionError("concat", problem, "give Embeddings that were made alike")
    names = dict.fromkeys(m for part in parts for m in part)
    errors: dict[tuple[str, int], Error] = {}
    notes: dict[tuple[str, int], Notes] = {}
    sources: dict[str, list[str | None]] = {m: [] for m in names}
    spans: dict[tuple[str, int], tuple[float, float]] = {}
    for part in parts:
        first = {m: len(sources[m]) for m in names}
        errors |= {(m, first[m] + i): error for (m, i), error in part.errors.items()}
        notes |= {(m, first[m] + i): note for (m, i), note in part.notes.items()}
        spans |= {(m, first[m] + i): span for (m, i), span in part.spans.items()}
        for m, rows in part.vectors.items():
            sources[m] += [part.source(m, i) for i in range(len(rows))]
    vectors = {m: np.concatenate([part.vectors[m] for part in parts if m in part]) for m in names}
    known = {m: tuple(texts) for m, texts in sources.items()}
    return Embeddings(vectors, parts[0].space, parts[0].normalized, errors, notes, known, spans)


def from_table(table: Table) -> Embeddings:
    """Embeddings from the rows of a file."""
    rows_of: dict[str, list[int]] = {m: [] for m in table.modalities if m}
    for row, modality in enumerate(table.texts["modality"]):
        if modality:  # of a file whose modality could not be found, there is no vector
            rows_of[modality].append(row)
    places = {(m, i): row for m, rows in rows_of.items() for i, row in enumerate(rows)}
    error_of = table.texts["error"]
    return Embeddings(
        {m: table.vectors[rows] for m, rows in rows_of.items()},
        table.space,
        table.normalized,
        {place: InputError("", text) for place, row in places.items() if (text := error_of[row]) is not None},
        {place: notes for place, row in places.items() if (notes := table.notes[row])},
        {m: tuple(table.texts["source"][row] or None for row in rows) for m, rows in rows_of.items()},
        {place: span for place, row in places.items() if (span := table.spans[row]) is not None},
    )
