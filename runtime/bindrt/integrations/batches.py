"""Batches as tools hand them over (a dict of arrays, a pandas or an Arrow table), with vectors added."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bindrt.errors import InputError
from bindrt.integrations.columns import Embedded

#: What the new columns of a modality are called.
VECTOR, ERROR = "{}_embedding", "{}_error"


def columns_of(batch: Any) -> dict[str, Iterable[object]]:
    """The values of each column.

    Args:
        batch: a dict of arrays or lists, a pandas or polars DataFrame, a ``pyarrow.Table``.

    >>> columns_of(pa.table({"path": ["a.jpg"]}))
    {'path': ['a.jpg']}
    """
    if isinstance(batch, (pa.Table, pa.RecordBatch)):
        return {name: column.to_pylist() for name, column in zip(batch.schema.names, batch, strict=True)}
    if not isinstance(batch, Mapping) and not hasattr(batch, "columns"):
        raise InputError("<a batch>", f"a {type(batch).__name__} has no columns", "give a table or a dict")
    names = list(batch) if isinstance(batch, Mapping) else list(batch.columns)
    return {str(name): _values(batch[name]) for name in names}


def with_vectors(batch: Any, embedded: Mapping[str, Embedded], dropped: Collection[str] = ()) -> Any:
    """The batch, in its own form, with the columns ``image_embedding`` and ``image_error`` for ``image``.

    A row without a vector has NaN in a dict of arrays, null in tables.

    Args:
        dropped: columns that are left out.

    Raises:
        InputError: the batch has a column of such a name already.
    """
    new: dict[str, Any] = {}
    for modality, (vectors, errors) in embedded.items():
        new |= {VECTOR.format(modality): vectors, ERROR.format(modality): errors}
    is_arrow = isinstance(batch, (pa.Table, pa.RecordBatch))
    names = batch.schema.names if is_arrow else list(batch)
    if taken := [name for name in new if name in names]:
        raise InputError(f"column {taken[0]!r}", "the rows have it already", "rename it")
    kept = [name for name in names if name not in dropped]
    if is_arrow:
        table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
        return _with_arrow(table.select(kept), new)
    if isinstance(batch, Mapping):
        return {**{name: batch[name] for name in kept}, **{n: _array(value) for n, value in new.items()}}
    return batch[kept].assign(**{name: _cells(value) for name, value in new.items()})


def _with_arrow(table: pa.Table, new: Mapping[str, Any]) -> pa.Table:
    for name, value in new.items():
        column = vectors_column(value) if isinstance(value, np.ndarray) else pa.array(value, pa.string())
        table = table.append_column(name, column)
    return table


def vectors_column(vectors: npt.NDArray[np.float32]) -> pa.Array:
    """float32 ``[N, D]`` as a column of lists of D numbers; a row of NaN is null."""
    missing = np.isnan(vectors[:, :1]).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(
        pa.array(vectors.reshape(-1)), vectors.shape[1], mask=pa.array(missing)
    )


def with_numbers(table: pa.Table, modalities: Iterable[str], kind: pa.DataType) -> pa.Table:
    """A table whose vectors have numbers of another type."""
    for modality in modalities:
        name = VECTOR.format(modality)
        wanted = pa.list_(kind, table.schema.field(name).type.list_size)
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(wanted))
    return table


def _values(column: Any) -> Iterable[object]:
    if isinstance(column, np.ndarray):
        return column.tolist() if column.ndim == 1 and column.dtype.kind in "OUT" else list(column)
    return list(column)


def _array(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else np.array(value, object)


def _cells(value: Any) -> list[object]:
    if not isinstance(value, np.ndarray):
        return list(value)
    return [None if np.isnan(row[0]) else row for row in value]
