"""What items were made from, as a text: a path, a URL, or a text item itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from bindrt.text import clean

Sources = tuple["str | None", ...]


def sources_of(items: Iterable[object]) -> Sources:
    """The path, URL or text of each item; None for arrays, bytes and others that have none.

    >>> sources_of(["cat.jpg", b"123", {"bytes": None, "path": "dog.jpg"}])
    ('cat.jpg', None, 'dog.jpg')
    """
    return tuple(map(_source, items))


def _source(item: object) -> str | None:
    if type(item) is str:  # texts are many
        return None if item.startswith("data:") else clean(item)
    if isinstance(item, Mapping):  # a cell of Hugging Face datasets
        item = item.get("path")
    elif type(item).__module__.startswith("bindrt"):  # a wrapper
        item = getattr(item, "src", None)
    if isinstance(item, os.PathLike):
        item = os.fsdecode(item)
    if not isinstance(item, str) or item.startswith("data:"):
        return None
    return clean(item)
