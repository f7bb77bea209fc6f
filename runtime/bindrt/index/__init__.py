"""Search among vectors of one space: exact, or approximate for large sets.

>>> index = Index.of(model)
>>> index.add(e["image"], ids=paths, modality="image")
>>> index.search(model.embed(text="a dog"), k=3)[0][0].id

A query of several modalities is their weighted sum: :func:`combine`.
"""

from bindrt.index.query import combine
from bindrt.index.search import Hit, Index

__all__ = ["Hit", "Index", "combine"]
