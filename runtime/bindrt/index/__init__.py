"""Search among vectors of one space: exact, or approximate for large sets.

>>> index = Index.of(model)
>>> index.add(model.embed(image=["bell.jpg", "car.jpg"]), ids=["bell.jpg", "car.jpg"])
>>> index.search(model.embed(text="a bell ringing"), k=1)[0][0].id
'bell.jpg'

A query of several modalities is their weighted sum: :func:`combine`.
"""

from bindrt.index.query import combine
from bindrt.index.search import Hit, Index

__all__ = ["Hit", "Index", "combine"]
