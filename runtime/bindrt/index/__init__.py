"""Search among vectors of one space: exact, or approximate for large sets.

>>> index = Index(space="example", dim=3)
>>> index.add(np.eye(3, dtype=np.float32), ids=["cat.jpg", "dog.jpg", "rain.wav"])
>>> [hit.id for hit in index.search(np.float32([0.1, 1, 0.2]), k=2)[0]]
['dog.jpg', 'rain.wav']

With a model, ``Index.of(model)`` is an empty index and ``model.embed(…)`` gives the vectors and the query.
:func:`combine` makes one query from items of several modalities.
"""

from bindrt.index.exporting import to_faiss, to_lancedb, to_qdrant
from bindrt.index.places import places, span_of
from bindrt.index.query import combine
from bindrt.index.results import Entry, Hit, Pair
from bindrt.index.search import Index

__all__ = [
    "Entry", "Hit", "Index", "Pair", "combine", "places", "span_of", "to_faiss", "to_lancedb", "to_qdrant",
]  # fmt: skip
