"""``Window``: the vectors of a part of a recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bindrt.errors import Error
from bindrt.notes import Notes

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Window(Mapping[str, Vector]):
    """A read-only mapping from modality to the vector of one window, float32 ``[D]``.

    A modality is missing where its source has ended, or has nothing there.

    Attributes:
        number: how many hops it begins after the first window.
        start, end: seconds from the beginning of the sources. The last window of a source may be shorter.
        vectors: by modality.
        notes: what preparation tells about each modality's part, as in :class:`bindrt.Embeddings`.
        errors: with ``on_error="skip"``, why a modality is missing.

    >>> w = Window(0, 0.0, 2.0, {"audio": np.zeros(4, np.float32)})
    >>> w["audio"].shape, "video" in w
    ((4,), False)
    """

    number: int
    start: float
    end: float
    vectors: Mapping[str, Vector]
    notes: Mapping[str, Notes] = field(default_factory=dict)
    errors: Mapping[str, Error] = field(default_factory=dict)

    def __getitem__(self, modality: str) -> Vector:
        return self.vectors[modality]

    def __iter__(self) -> Iterator[str]:
        return iter(self.vectors)

    def __len__(self) -> int:
        return len(self.vectors)

    # Mappings compare their values, but arrays compare element by element and give no single answer.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        errors = f"; {len(self.errors)} errors" if self.errors else ""
        return f"Window({self.start:g} to {self.end:g} s: {', '.join(self.vectors) or 'nothing'}{errors})"
