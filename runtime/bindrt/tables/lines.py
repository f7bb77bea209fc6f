"""CSV and JSON lines of any length as tables, a piece at a time, in constant memory.

Both formats say nothing about types, so a file is read twice: first to find types that fit all of its rows.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.json

#: Bytes of a piece. A line of CSV has to fit into one.
PIECE = 16 << 20
#: The longest line of JSON.
_LONGEST = 64 << 20
#: A text may have several lines; an empty cell is a missing value, and a text "NA" is one.
_CSV_LINES = pyarrow.csv.ParseOptions(newlines_in_values=True)
_COLUMN = re.compile(r"In CSV column #(\d+)")
_CHANGED = re.compile(r"Column\(/([^/)]+)[^)]*\) changed from")

Open = Callable[[], AbstractContextManager[Any]]


def csv_tables(opened: Open) -> Iterator[pa.Table]:
    """The rows of a CSV file.

    Raises:
        ArrowException, OSError: it is damaged, or a line is longer than a piece.
    """
    with opened() as file:
        types = _csv_types(_csv_reader(file, {}).schema)
    while (wider := _widened(opened, types)) is not None:
        types = wider
    with opened() as file:
        for batch in _csv_reader(file, types):
            yield pa.Table.from_batches([batch])


def _widened(opened: Open, types: dict[str, pa.DataType]) -> dict[str, pa.DataType] | None:
    """Types of which one is wider, since a row has not fitted; None if all rows fit."""
    with opened() as file:
        names = list(types)
        try:
            reader = _csv_reader(file, types)
            names = reader.schema.names
            for _ in reader:
                pass
        except pa.ArrowInvalid as error:
            if (found := _COLUMN.search(str(error))) is None:
                raise
            name = names[int(found[1])]
            if types[name] == pa.string():
                raise
            wider = pa.float64() if types[name] == pa.int64() else pa.string()
            return {**types, name: wider}
    return None


def _csv_types(found: pa.Schema) -> dict[str, pa.DataType]:
    return {field.name: pa.string() if pa.types.is_null(field.type) else field.type for field in found}


def _csv_reader(file: Any, types: dict[str, pa.DataType]) -> Any:
    cells = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""], column_types=types)
    pieces = pyarrow.csv.ReadOptions(block_size=PIECE)
    return pyarrow.csv.open_csv(file, pieces, _CSV_LINES, cells)


def json_tables(opened: Open) -> Iterator[pa.Table]:
    """The rows of a file of JSON lines. Where a column has values that no other type holds, they are texts.

    Raises:
        ArrowException, OSError, ValueError: it is damaged, or a line is too long.
    """
    schema, mixed = _json_types(opened)
    options = pyarrow.json.ParseOptions(explicit_schema=schema)
    with opened() as file:
        for piece in _pieces(file):
            yield pyarrow.json.read_json(io.BytesIO(_as_texts(piece, mixed)), parse_options=options)


def _json_types(opened: Open) -> tuple[pa.Schema, set[str]]:
    """A schema for all rows, and the columns whose values are of several types."""
    fields: dict[str, pa.Field] = {}
    mixed: set[str] = set()
    with opened() as file:
        for piece in _pieces(file):
            for field in _piece_schema(piece, mixed):
                before = fields.setdefault(field.name, field)
                try:
                    fields[field.name] = _wider(before, field)
                except (pa.ArrowTypeError, pa.ArrowInvalid):
                    mixed.add(field.name)
    return pa.schema([pa.field(n, pa.string()) if n in mixed else f for n, f in fields.items()]), mixed


def _piece_schema(piece: bytes, mixed: set[str]) -> pa.Schema:
    """The schema of some lines; columns that have values of several types in them are added to ``mixed``."""
    while True:
        try:
            return pyarrow.json.read_json(io.BytesIO(_as_texts(piece, mixed))).schema
        except pa.ArrowInvalid as error:
            found = _CHANGED.search(str(error))
            if found is None or found[1] in mixed:
                raise
            mixed.add(found[1])


def _as_texts(piece: bytes, mixed: set[str]) -> bytes:
    """The lines, with the values of some columns as texts: those that were none as JSON."""
    if not mixed:
        return piece
    lines = []
    for line in piece.splitlines():
        row = json.loads(line) if line.strip() else {}
        for name in mixed & row.keys():
            if row[name] is not None and not isinstance(row[name], str):
                row[name] = json.dumps(row[name], ensure_ascii=False)
        lines.append(json.dumps(row).encode())
    return b"\n".join(lines)


def _pieces(file: Any) -> Iterator[bytes]:
    """The bytes of a file, cut between lines."""
    rest = b""
    while data := file.read(PIECE):
        whole, newline, rest_of = (rest + data).rpartition(b"\n")
        rest = rest_of
        if len(rest) > _LONGEST:
            raise ValueError(f"a line has more than {_LONGEST} bytes")
        if (whole + newline).strip():
            yield whole + newline
    if rest.strip():
        yield rest


def _wider(first: pa.Field, second: pa.Field) -> pa.Field:
    """A column for the values of both; texts that look like times may be others elsewhere."""
    if pa.string() in (first.type, second.type) and pa.types.is_timestamp(
        second.type if first.type == pa.string() else first.type
    ):
        return pa.field(first.name, pa.string())
    schemas = [pa.schema([first]), pa.schema([second])]
    return pa.unify_schemas(schemas, promote_options="permissive").field(0)
