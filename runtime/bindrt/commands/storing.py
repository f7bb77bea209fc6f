"""Loads rows that ``bind-embed`` has made into a vector store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bindrt.commands.rows import vectors_of
from bindrt.commands.segments import Segments
from bindrt.commands.shards.parts import FIRST_ROW, PLACE
from bindrt.commands.shards.webdataset import KEY
from bindrt.commands.summary import Summary
from bindrt.errors import OptionError
from bindrt.integrations.batches import ERROR, VECTOR
from bindrt.stores import Records, StorePlace, load_records, open_store
from bindrt.stores.records import as_json_value, stable_id

_COLUMNS = ["source", "modality", "embedding", "options", "notes", "start", "end"]
#: Rows that are in memory at once.
_TOGETHER = 8192


def rows_beside(place: StorePlace) -> Path:
    """Where rows are kept until a store has them, if there is no other output."""
    return Path(f"{place.kind}-{place.name}")


def store_segments(place: StorePlace, segments: Segments, summary: Summary, skip: bool) -> None:
    """Loads the rows of files and texts.

    Raises:
        Error: as :func:`bindrt.stores.load_records`.
    """
    parts = (_of_files(table) for table in segments.tables(_COLUMNS))
    _load(place, parts, segments.dim, segments.space, summary, skip)


def store_parts(
    place: StorePlace,
    paths: Iterable[Path],
    columns: Mapping[str, str],
    name_column: str | None,
    dim: int,
    space: str,
    summary: Summary,
    skip: bool,
) -> None:
    """Loads the rows of parts.

    Args:
        columns: of the tables that were embedded, by modality; empty: the parts are of files and texts.
        name_column: a column whose values name the rows; None: a row is known by its place in its table.

    Raises:
        OptionError: a part has no such column.
        Error: as :func:`bindrt.stores.load_records`.
    """
    parts = (records for path in paths for records in _of_part(path, columns, name_column))
    _load(place, parts, dim, space, summary, skip)


def _load(
    place: StorePlace, parts: Iterable[Records], dim: int, space: str, summary: Summary, skip: bool
) -> None:
    store = open_store(place)
    try:
        found = load_records(store, place, parts, dim, space, skip)
    finally:
        store.close()
    summary.store, summary.loaded, summary.refused = str(place), found.rows, found.refused


def _of_part(path: Path, columns: Mapping[str, str], name_column: str | None) -> Iterator[Records]:
    with pq.ParquetFile(path) as file:
        about = file.schema_arrow.metadata or {}
        first = int(about.get(FIRST_ROW, b"0"))
        for batch in file.iter_batches(_TOGETHER):
            table = pa.Table.from_batches([batch])
            if not columns:
                yield _of_files(table)
            for modality in columns:
                table_name = about.get(PLACE, b"").decode()
                names = _names(table, path, table_name, first, name_column)
                yield _of_rows(table, modality, columns[modality], names)
            first += len(table)


def _names(
    table: pa.Table, path: Path, place: str, first: int, name_column: str | None
) -> list[tuple[object, ...]]:
    """What each row is known by."""
    if name_column is None:
        return [(place, first + row) for row in range(len(table))]
    if name_column not in table.column_names:
        raise OptionError(f"--id {name_column}", f"{path} has no such column", "name one of its columns")
    return [(value,) for value in table[name_column].to_pylist()]


def _of_rows(table: pa.Table, modality: str, column: str, names: list[tuple[object, ...]]) -> Records:
    """The rows of a table that have a vector of a modality."""
    vector = VECTOR.format(modality)
    kept = [name for name in table.column_names if not _is_result(name, table)]
    valid = pc.is_valid(table[vector])
    there = [name for name, is_there in zip(names, valid.to_pylist(), strict=True) if is_there]
    rows = table.filter(valid)
    carried = rows.select(kept).to_pylist()
    return Records(
        [stable_id(modality, *name) for name in there],
        [_source(row, column) for row in carried],
        [modality] * len(there),
        [as_json_value(row) for row in carried],
        vectors_of(rows.select([vector]).rename_columns(["embedding"]), _dim(table, vector)),
    )


def _is_result(name: str, table: pa.Table) -> bool:
    """Whether a column is one of ours: a vector, or why there is none."""
    stem = name.removesuffix("_embedding").removesuffix("_error")
    return stem != name and {VECTOR.format(stem), ERROR.format(stem)} <= set(table.column_names)


def _source(row: Mapping[str, Any], column: str) -> str | None:
    """What was embedded, where that is a text; else the sample's key."""
    found = row.get(column, row.get(KEY))
    return found if isinstance(found, str) else None


def _of_files(table: pa.Table) -> Records:
    """The rows of files and texts that have a vector."""
    good = table.filter(pc.is_valid(table["embedding"]))
    rows = good.select([name for name in _COLUMNS if name != "embedding"]).to_pylist()
    keys = ("source", "modality", "options", "start", "end")
    return Records(
        [stable_id(*(row[key] for key in keys)) for row in rows],
        [row["source"] for row in rows],
        [row["modality"] for row in rows],
        [_about(row) for row in rows],
        vectors_of(good, _dim(table, "embedding")),
    )


def _about(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a file's row beside its source."""
    found = {name: json.loads(row[name]) for name in ("options", "notes") if row[name]}
    return found | {name: row[name] for name in ("start", "end") if row[name] is not None}


def _dim(table: pa.Table, column: str) -> int:
    return int(table.schema.field(column).type.list_size)
