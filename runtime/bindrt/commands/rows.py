"""The rows of an output, and their columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bindrt.commands.file_states import FileState
from bindrt.embeddings.files import NORMALIZED, SPACE
from bindrt.text import clean

#: Types of the numbers of a vector in an output.
DTYPES = {"float32": pa.float32(), "float16": pa.float16()}

#: The columns that every output has; earlier versions wrote no others.
FIRST_COLUMNS = ("source", "modality", "error", "embedding")
#: The columns of texts after those, and of whole numbers; all may be null.
TEXT_COLUMNS, NUMBER_COLUMNS = ("options", "notes", "sha256"), ("size", "modified_ns")
#: The columns of seconds, of rows that are windows; null for others.
TIME_COLUMNS = ("start", "end")
#: A whole number that is not known, where null cannot be held.
UNKNOWN = -1


@dataclass(frozen=True)
class Row:
    """One row of the output. Either ``error`` or ``vector`` is None; ``vector`` is float32 ``[D]``.

    Attributes:
        options: the options that a manifest gives for this row alone, as JSON; None: it gives none.
        notes: what preparation tells about the item, as JSON; None: nothing.
        state: the file as it was embedded; None for texts, and for rows of earlier versions.
        replaces: the number of the row of an earlier run that this one takes the place of.
        start, end: seconds of a window within its source; None: the row is of the whole.
        and_replaces: numbers of more such rows.
    """

    source: str
    modality: str | None
    error: str | None
    vector: npt.NDArray[np.float32] | None
    options: str | None = None
    notes: str | None = None
    state: FileState | None = None
    replaces: int | None = None
    start: float | None = None
    end: float | None = None
    and_replaces: Sequence[int] = ()

    @property
    def replaced(self) -> list[int]:
        """The numbers of all rows that this one takes the place of."""
        return [*([] if self.replaces is None else [self.replaces]), *self.and_replaces]


def schema(dim: int, space: str, dtype: str = "float32") -> pa.Schema:
    """The columns of the output; the space is in the metadata."""
    return pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            pa.field("modality", pa.string()),
            pa.field("error", pa.string()),
            pa.field("embedding", pa.list_(DTYPES[dtype], dim)),
            *(pa.field(name, pa.string()) for name in TEXT_COLUMNS),
            *(pa.field(name, pa.int64()) for name in NUMBER_COLUMNS),
            *(pa.field(name, pa.float64()) for name in TIME_COLUMNS),
        ],
        metadata={SPACE: space.encode(), NORMALIZED: b"true"},
    )


def to_table(rows: list[Row], dim: int, space: str, dtype: str = "float32") -> pa.Table:
    valid = np.array([r.vector is not None for r in rows], bool)
    flat = np.concatenate([r.vector if r.vector is not None else np.zeros(dim, np.float32) for r in rows])
    numbers = pa.array(flat.astype(dtype), DTYPES[dtype])
    states = [r.state or FileState() for r in rows]
    columns = [
        _texts(r.source for r in rows),
        _texts(r.modality for r in rows),
        _texts(r.error for r in rows),
        pa.FixedSizeListArray.from_arrays(numbers, dim, mask=pa.array(~valid)),
        _texts(r.options for r in rows),
        _texts(r.notes for r in rows),
        _texts(s.sha256 for s in states),
        pa.array([s.size for s in states], pa.int64()),
        pa.array([s.modified_ns for s in states], pa.int64()),
        pa.array([r.start for r in rows], pa.float64()),
        pa.array([r.end for r in rows], pa.float64()),
    ]
    return pa.Table.from_arrays(columns, schema=schema(dim, space, dtype))


def options_text(options: Mapping[str, str]) -> str | None:
    """A row's own options as JSON, as the output has them; None if there are none."""
    return json.dumps(dict(options), ensure_ascii=False, sort_keys=True) if options else None


def _texts(values: Iterable[str | None]) -> pa.Array:
    return pa.array([None if value is None else clean(value) for value in values], pa.string())


def with_all_columns(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    """A table with the columns of ``wanted``; those that an earlier version did not write are null."""
    columns = [
        table.column(f.name) if f.name in table.column_names else pa.nulls(len(table), f.type) for f in wanted
    ]
    return pa.Table.from_arrays(columns, names=wanted.names).cast(wanted)


def as_json_line(row: Row, space: str) -> str:
    state = row.state or FileState()
    also = {
        "options": row.options and json.loads(row.options),
        "notes": row.notes and json.loads(row.notes),
        "size": state.size,
        "modified_ns": state.modified_ns,
        "sha256": state.sha256,
        "start": row.start,
        "end": row.end,
    }
    return json.dumps(
        {
            "source": clean(row.source),
            "modality": row.modality,
            "error": None if row.error is None else clean(row.error),
            "embedding": None if row.vector is None else row.vector.tolist(),
            "space": space,
            **{name: value for name, value in also.items() if value is not None},
        },
        ensure_ascii=False,
    )


def vectors_of(table: pa.Table, dim: int) -> npt.NDArray[np.float32]:
    """A table's embedding column as float32 ``[N, D]``; NaN where it is null."""
    column = table.column("embedding").combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # an empty table has no chunk to combine into
        return np.empty((0, dim), np.float32)
    flat = column.values.to_numpy(zero_copy_only=False)[
        column.offset * dim : (column.offset + len(column)) * dim
    ]
    rows = np.array(flat, np.float32).reshape(-1, dim)
    rows[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return rows


def whole_numbers(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A column of whole numbers; ``UNKNOWN`` where it is null."""
    return np.asarray(pc.fill_null(column, UNKNOWN).to_numpy(), np.int64)


def seconds(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """A column of seconds; NaN where it is null."""
    return np.asarray(pc.fill_null(column, float("nan")).to_numpy(), np.float64)


def table_rows(table: pa.Table) -> Iterator[Row]:
    vectors = vectors_of(table, table.schema.field("embedding").type.list_size)
    names = [name for name in table.column_names if name != "embedding"]
    for vector, values in zip(
        vectors, zip(*(table.column(n).to_pylist() for n in names), strict=True), strict=True
    ):
        row = dict(zip(names, values, strict=True))
        state = FileState(row["size"], row["modified_ns"], row["sha256"])
        error = row["error"]
        yield Row(
            row["source"], row["modality"], error, None if error is not None else vector,
            row["options"], row["notes"], state if state.size is not None else None,
            start=row["start"], end=row["end"],
        )  # fmt: skip
