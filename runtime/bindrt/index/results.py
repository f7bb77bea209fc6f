"""What an index gives: hits of a search, entries, pairs."""

from __future__ import annotations

from dataclasses import dataclass

from bindrt.embeddings import Vectors
from bindrt.index.ids import Id
from bindrt.index.metadata import Metadata


@dataclass(frozen=True)
class Hit:
    """One result of a search.

    Attributes:
        id: the item's id as it was added, for example a path.
        score: cosine similarity of the item and the query, -1 to 1.
        modality: the item's modality; may be empty.
        metadata: the item's metadata as it was added; empty if there was none.

    >>> Hit("bell.jpg", 0.71, "image", {"album": "summer"}).metadata["album"]
    'summer'
    """

    id: Id
    score: float
    modality: str
    metadata: Metadata


@dataclass(frozen=True, eq=False)
class Entry:
    """One item of an index.

    Attributes:
        id, modality, metadata: as they were added.
        vector: float32 ``[D]`` of unit length.

    >>> Entry("bell.jpg", "image", {}, np.float32([0.6, 0.8])).vector.tolist()
    [0.6000000238418579, 0.800000011920929]
    """

    id: Id
    modality: str
    metadata: Metadata
    vector: Vectors


@dataclass(frozen=True)
class Pair:
    """Two items that are near each other, for example duplicates.

    Attributes:
        first, second: their ids; ``first`` was added earlier.
        score: their cosine similarity.
        modalities: theirs, in the same order.

    >>> Pair("bell.jpg", "copy.jpg", 0.999, ("image", "image")).second
    'copy.jpg'
    """

    first: Id
    second: Id
    score: float
    modalities: tuple[str, str]
