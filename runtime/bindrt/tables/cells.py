"""Cells of tables as items of a modality."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from bindrt.errors import InputError
from bindrt.item_options import as_item
from bindrt.sources.foreign import is_missing
from bindrt.sources.locations import is_uri


def items_of(
    modality: str, values: Iterable[object], root: str | None, options: Mapping[str, str]
) -> tuple[list[object], list[int]]:
    """The items of a column, and the rows that they are in; the other rows have no value.

    Args:
        root: the folder that relative paths begin at; None: that of the process.
        options: how the items are read.

    >>> items_of("image", ["a.jpg", None, "/b.jpg"], "photos", {})
    (['photos/a.jpg', '/b.jpg'], [0, 2])
    """
    items: list[object] = []
    rows: list[int] = []
    for row, value in enumerate(values):
        if is_missing(value):
            continue
        if root and modality != "text" and isinstance(value, str) and not is_uri(value):
            value = os.path.join(root, value)
        items.append(as_item(modality, value, options))
        rows.append(row)
    return items, rows


def is_text(kind: pa.DataType) -> bool:
    """Whether a column has texts: it is carried through although it is embedded.

    >>> is_text(pa.dictionary(pa.int8(), pa.string())), is_text(pa.binary())
    (True, False)
    """
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def require_names(names: Sequence[str], place: str | None = None) -> None:
    """Raises InputError if two columns have the same name: which of them is meant nobody can tell.

    Args:
        place: their table, where it has a path or URL.
    """
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"column {twice!r}", f"{place or 'the table'} has it twice", "rename one of them")


def no_column(name: str, names: Iterable[object], place: str | None = None) -> InputError:
    """The error for rows that lack a column which is to be embedded.

    Args:
        names: the columns that they have.
        place: their table, where it has a path or URL.
    """
    problem = f"the rows do not have it ({place})" if place else "the rows do not have it"
    return InputError(f"column {name!r}", problem, f"they have {', '.join(map(str, names))}"[:400])
