"""What ``embed`` returns: vectors by modality, with the errors and notes of single items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bindrt.errors import Error, OptionError

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Embeddings(Mapping[str, Vectors]):
    """A mapping from modality to float32 ``[N, D]``, one row an item; ``e.image`` works as well.

    Attributes:
        space: fingerprint of the embedding space; vectors of different spaces must not be mixed.
        normalized: rows have unit length.
        errors: with ``on_error="skip"``, ``{("image", 3): Error}``; such a row is NaN.
        notes: what preprocessing reports of single items, ``{("depth", 0): {"missing": 12, …}}``.
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

    def __getattr__(self, name: str) -> Vectors:
        # Only reached for names that are no field; "vectors" itself is missing while unpickling.
        vectors = self.__dict__.get("vectors", {})
        if name in vectors:
            return vectors[name]  # type: ignore[no-any-return]
        raise AttributeError(
            f"no modality or attribute {name!r}; embedded: {', '.join(vectors) or 'nothing'}"
        )

    # Of a mapping's values one could not say whether they are equal: arrays compare by element.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def similarity(self, a: str, b: str) -> Vectors:
        """Cosine similarities ``[Na, Nb]`` (−1…1) of every item of modality ``a`` with every one of ``b``.

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


def unit_rows(rows: Vectors) -> Vectors:
    """Rows divided by their L2 norm; a zero row stays zero."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms == 0, 1, norms), dtype=np.float32)
