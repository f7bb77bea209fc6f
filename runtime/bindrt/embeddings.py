"""What ``embed`` returns: vectors by modality, with the errors and notes of single items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bindrt.by_modality import ByModality
from bindrt.by_modality import Vectors as Vectors
from bindrt.errors import Error, OptionError

_LARGE = 1e15


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
        notes: what preprocessing found, by modality and row, for example ``{("depth", 0): {"missing": 12}}``.

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
    notes: Mapping[tuple[str, int], Mapping[str, float | int | str]] = field(default_factory=dict)

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

    def similarity(self, a: str, b: str) -> Vectors:
        """Cosine similarity of each item of one modality with each item of another.

        Args:
            a, b: modalities that were embedded; they may be the same.

        Returns:
            float32 ``[Na, Nb]``, each value from -1 to 1, NaN for an item that failed.

        Raises:
            OptionError: one of them was not embedded.
        """
        for name in (a, b):
            if name not in list(self.vectors):
                raise OptionError(
                    f"similarity({a!r}, {b!r})",
                    f"{name!r} was not embedded",
                    f"embedded: {', '.join(self.vectors)}",
                )
        return np.asarray(unit_rows(self.vectors[a]) @ unit_rows(self.vectors[b]).T, np.float32)

    def __repr__(self) -> str:
        parts = [f"{name} {list(rows.shape)}" for name, rows in self.vectors.items()]
        if self.errors:
            parts.append(f"{len(self.errors)} errors")
        kind = "unit length" if self.normalized else "scaled"
        return f"Embeddings({', '.join(parts) or 'nothing'}; {kind}; space {self.space})"


def unit_rows(rows: npt.NDArray[np.floating[Any]]) -> Vectors:
    """Rows ``[N, D]`` divided by their L2 norm, as float32; a row of zeros stays as it is.

    >>> unit_rows(np.float32([[0, 4], [0, 0]])).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    if len(rows):
        largest = np.maximum(rows.max(axis=1, keepdims=True), -rows.min(axis=1, keepdims=True))
        extreme = (largest > _LARGE) | ((largest < 1 / _LARGE) & (largest > 0))
        if extreme.any():  # the squares of such values leave the range of float32
            rows = rows / np.where(extreme, largest, 1)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms == 0, 1, norms), dtype=np.float32)
