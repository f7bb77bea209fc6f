"""The rows of parts that have a vector, as stores and indexes take them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bindrt.commands.rows import vectors_of
from bindrt.commands.shards.parts import FIRST_ROW, PLACE, Parts
from bindrt.errors import OptionError
from bindrt.integrations.batches import ERROR, VECTOR
from bindrt.stores.records import Records, as_json_value, stable_id
from bindrt.tables.samples import KEY

#: Rows that are in memory at once.
_TOGETHER = 8192
COLUMNS = ["source", "modality", "embedding", "options", "notes", "start", "end"]


@dataclass(frozen=True)
class PartRows:
    """The rows of parts.

    Attributes:
        columns: of the tables that were embedded, by modality; empty: the parts are of files and texts.
        name_column: a column whose values name the rows; None: a row is known by its place in its table.
    """

    parts: Parts
    columns: Mapping[str, str]
    name_column: str | None = None

    def records(self) -> Iterator[Records]:
        """All rows that have a vector, some at a time, of tables those of one modality.

        Raises:
            OptionError: a part has no column ``name_column``.
        """
        for name, table, place, first in self._tables():
            if not self.columns:
                yield of_files(table)
            names = self._names(table, name, place, first) if self.columns else []
            for modality, column in self.columns.items():
                yield _of_rows(table, modality, column, names)

    def titled(self) -> Iterator[tuple[list[str], Records]]:
        """The same of tables, with what a person knows each row by: its name, else what was embedded.

        Raises:
            OptionError: a part has no column ``name_column``.
        """
        for name, table, place, first in self._tables():
            names = self._names(table, name, place, first)
            for modality, column in self.columns.items():
                records = _of_rows(table, modality, column, names)
                there = _there(names, table, modality)
                yield [self._title(*each) for each in zip(there, records.sources, strict=True)], records

    def _title(self, name: tuple[object, ...], source: str | None) -> str:
        if self.name_column is not None:
            return str(name[0])
        return source or "{} row {}".format(*name)

    def _tables(self) -> Iterator[tuple[str, pa.Table, str, int]]:
        """Some rows at a time: their part, their table's place, and the number of the first in it."""
        for name in self.parts.names():
            with self.parts.opened(name) as part:
                about = part.schema_arrow.metadata or {}
                place, first = about.get(PLACE, b"").decode(), int(about.get(FIRST_ROW, b"0"))
                for batch in part.iter_batches(_TOGETHER):
                    yield name, pa.Table.from_batches([batch]), place, first
                    first += len(batch)

    def _names(self, table: pa.Table, part: str, place: str, first: int) -> list[tuple[object, ...]]:
        """What each row is known by."""
        if self.name_column is None:
            return [(place, first + row) for row in range(len(table))]
        if self.name_column not in table.column_names:
            what = f"--id {self.name_column}"
            raise OptionError(what, f"{part} has no such column", "name one of its columns")
        return [(value,) for value in table[self.name_column].to_pylist()]


def _of_rows(table: pa.Table, modality: str, column: str, names: list[tuple[object, ...]]) -> Records:
    """The rows of a table that have a vector of a modality."""
    vector = VECTOR.format(modality)
    kept = [name for name in table.column_names if not _is_result(name, table)]
    valid = pc.is_valid(table[vector])
    there = _there(names, table, modality)
    rows = table.filter(valid)
    carried = rows.select(kept).to_pylist()
    return Records(
        [stable_id(modality, *name) for name in there],
        [_source(row, column) for row in carried],
        [modality] * len(there),
        [as_json_value(row) for row in carried],
        vectors_of(rows.select([vector]).rename_columns(["embedding"]), _dim(table, vector)),
    )


def _there(names: list[tuple[object, ...]], table: pa.Table, modality: str) -> list[tuple[object, ...]]:
    """The names of the rows that have a vector of a modality."""
    valid = pc.is_valid(table[VECTOR.format(modality)]).to_pylist()
    return [name for name, is_there in zip(names, valid, strict=True) if is_there]


def _is_result(name: str, table: pa.Table) -> bool:
    """Whether a column is one of ours: a vector, or why there is none."""
    stem = name.removesuffix("_embedding").removesuffix("_error")
    return stem != name and {VECTOR.format(stem), ERROR.format(stem)} <= set(table.column_names)


def _source(row: Mapping[str, Any], column: str) -> str | None:
    """What was embedded, where that is a text; else the sample's key."""
    found = row.get(column, row.get(KEY))
    return found if isinstance(found, str) else None


def of_files(table: pa.Table) -> Records:
    """The rows of files and texts that have a vector."""
    good = table.filter(pc.is_valid(table["embedding"]))
    rows = good.select([name for name in COLUMNS if name != "embedding"]).to_pylist()
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
