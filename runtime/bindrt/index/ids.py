"""Ids of items: texts or whole numbers, given in any ordered collection."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Union

import numpy as np

from bindrt.embeddings import Embeddings
from bindrt.errors import InputError
from bindrt.text import clean

Id = Union[str, int]
_LARGEST = 2**63 - 1


def as_ids(ids: object, count: int | None = None) -> list[Id]:
    """Ids as a list of str and int; paths become str.

    Args:
        ids: a list, tuple, array, Series, pyarrow column, generator, …
        count: how many there must be; None: any number.

    Raises:
        InputError: it has no order, another length, or ids of several types.

    >>> as_ids(np.array([7, 8]))
    [7, 8]
    """
    if isinstance(ids, (str, bytes, os.PathLike)) or not isinstance(ids, Iterable):
        raise InputError("ids", f"{type(ids).__name__} is not a list", "give a list with one id for each")
    if isinstance(ids, (Mapping, set, frozenset)):
        raise InputError("ids", f"a {type(ids).__name__} has no order to rely on", "give a list")
    to_list = getattr(ids, "tolist", None) or getattr(ids, "to_list", None)
    found = to_list() if to_list is not None else list(ids)
    if not isinstance(found, list):
        raise InputError("ids", "it is a single value", "give a list with one id for each")
    if count is not None and len(found) != count:
        raise InputError("ids", f"{len(found)} for {count} vectors", "give a list with one id for each")
    names = [as_id(value, f"ids[{i}]") for i, value in enumerate(found)]
    for i, name in enumerate(names):
        if type(name) is not type(names[0]):
            raise InputError(f"ids[{i}]", "texts and numbers are mixed", "give str(…) of each")
    return names


def as_id(value: object, name: str = "id") -> Id:
    """One id. Bytes of a file name that are not UTF-8 become escapes such as ``\\xff``."""
    if isinstance(value, (bool, np.bool_)):
        raise InputError(name, f"{value} is not an id", "give a str or a whole number")
    if isinstance(value, (int, np.integer)):
        if not -_LARGEST <= value <= _LARGEST:
            raise InputError(name, f"{value} does not fit into 64 bits", "give it as a str")
        return int(value)
    if isinstance(value, os.PathLike):
        value = os.fsdecode(value)
    if not isinstance(value, str):
        raise InputError(name, f"{type(value).__name__} is not an id", "give a str or a whole number")
    return clean(str(value))


def own_ids(embeddings: Embeddings) -> list[str]:
    """The paths or texts that ``Embeddings`` of one modality were made from.

    Raises:
        InputError: an item has none: it was an array, for example.
    """
    (modality,) = embeddings
    found = [embeddings.source(modality, row) for row in range(len(embeddings[modality]))]
    names = [name for name in found if name is not None]
    if len(names) < len(found):
        raise InputError(
            "ids", f"{modality}[{found.index(None)}] was made from no path or text", "give a list of ids"
        )
    return names
