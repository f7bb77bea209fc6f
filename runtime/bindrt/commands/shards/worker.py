"""What a worker does: embeds blocks with a model of its own, and writes a part for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

import pyarrow as pa

from bindrt.commands.embed_run import EmbedRun
from bindrt.commands.inputs import EmbedArguments
from bindrt.commands.rows import DTYPES, Row, schema, to_table
from bindrt.commands.shards.blocks import FilesBlock, NumberedBlock
from bindrt.commands.shards.folders import Folder, folder_at
from bindrt.commands.shards.parts import FIRST_ROW, PLACE, new_part, part_name
from bindrt.commands.shards.vectors import about_vectors, no_rows
from bindrt.commands.summary import Summary
from bindrt.errors import ClosedError, EngineError, Error
from bindrt.integrations.batches import ERROR, columns_of, with_numbers, with_vectors
from bindrt.integrations.columns import ColumnEmbedder
from bindrt.item_options import item_options
from bindrt.sources.foreign import is_missing
from bindrt.statistics import Work, work_of
from bindrt.tables import RowsBlock
from bindrt.tables.cells import is_text, no_column, require_names

#: Rows of a table that are embedded together, and rows of files that are written together.
TOGETHER = 256


@dataclass(frozen=True)
class Job:
    """What all workers of a job are told. It can be pickled.

    Attributes:
        bundle, load: for :func:`bindrt.load`.
        folder: where the parts are, a path or URL.
        arguments: how files are read; its inputs are not used.
        columns: of tables, by modality.
        skip: what cannot be embedded has a row with its error; else it ends the job.
        dtype: of the vectors' numbers.
    """

    bundle: str
    folder: str
    arguments: EmbedArguments
    columns: Mapping[str, str] = field(default_factory=dict)
    load: Mapping[str, Any] = field(default_factory=dict)
    skip: bool = False
    dtype: str = "float32"

    def embedder(self) -> ColumnEmbedder:
        """What embeds columns; its model embeds files too."""
        options = {m: _options(m, self.arguments.options) for m in self.columns}
        return ColumnEmbedder(self.bundle, self.columns or {"text": ""}, options, load=self.load)


@dataclass(frozen=True)
class Done:
    """What became of a block.

    Attributes:
        count: of its inputs.
        error: of the first input that failed, where that ends the job: then there is no part.
    """

    count: int
    summary: Summary
    error: str | None = None


class Worker:
    """Embeds blocks; several threads may use it, so that the engine has work while a block begins or ends."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._embedder = job.embedder()
        self._told = Work()
        self._telling = Lock()

    def write(self, block: NumberedBlock) -> Done:
        """Embeds a block and writes its part.

        Raises:
            Error: the bundle cannot be loaded, the table cannot be read, or an engine failed.
        """
        folder, name = folder_at(self._job.folder), part_name(block)
        summary = Summary()
        try:
            if isinstance(block.block, FilesBlock):
                self._write_files(folder, name, block.block, summary)
            else:
                assert isinstance(block.block, RowsBlock)
                self._write_rows(folder, name, block.block, summary)
        except _Stop as stop:
            return Done(block.block.count, summary, str(stop))
        summary.work = self._work()
        return Done(block.block.count, summary)

    def close(self) -> None:
        self._embedder.close()

    def _work(self) -> Work:
        """What the model has worked since this was last called, for whichever blocks."""
        with self._telling:
            now = work_of(self._embedder.model.stats())
            before, self._told = self._told, now
            return now.since(before)

    def _write_rows(self, folder: Folder, name: str, block: RowsBlock, summary: Summary) -> None:
        with new_part(folder, name) as write:
            is_empty = True
            for table in block.tables(TOGETHER):
                write(self._row_table(table, block, summary))
                is_empty = False
            if is_empty:  # a tar shard may have no sample
                nothing = no_rows(self._job.columns, self._embedder.model.embed_dim, self._job.dtype)
                write(self._described(nothing, block))

    def _write_files(self, folder: Folder, name: str, block: FilesBlock, summary: Summary) -> None:
        model = self._embedder.model
        arguments = replace(self._job.arguments, inputs=block.inputs)
        run = EmbedRun(model, arguments, self._job.skip, summary=summary)
        rows: list[Row] = []
        with new_part(folder, name, schema(model.embed_dim, run.space, self._job.dtype)) as write:

            def write_rows() -> None:
                if rows:
                    write(to_table(rows, model.embed_dim, run.space, self._job.dtype))
                    rows.clear()

            def add(row: Row) -> None:
                rows.append(row)
                if len(rows) == TOGETHER:
                    write_rows()

            try:
                run.run(add)
            except (EngineError, ClosedError):
                raise
            except Error as of_item:
                raise _Stop(str(of_item)) from of_item
            write_rows()

    def _row_table(self, table: pa.Table, block: RowsBlock, summary: Summary) -> pa.Table:
        found = self._with_vectors(table, block, summary)
        for modality in self._job.columns:
            errors = [error for error in found[ERROR.format(modality)].to_pylist() if error is not None]
            if errors and not self._job.skip:
                raise _Stop(f"{errors[0]}; add --on-error skip to record it and go on")
            summary.failed += len(errors)
        summary.rows += len(found)
        return found

    def _with_vectors(self, table: pa.Table, block: RowsBlock, summary: Summary) -> pa.Table:
        require_names(table.column_names, block.place)
        there = [name for name in self._job.columns.values() if name in table.column_names]
        rows = columns_of(table.select(there))
        for name in self._job.columns.values():
            if name not in rows and not block.is_sparse:
                raise no_column(name, table.column_names, block.place)
            values = rows.setdefault(name, [None] * len(table))
            summary.values[name] += len(table) - sum(map(is_missing, values))
        embedded = self._embedder.embed(rows, block.root)
        files = [n for n in there if not is_text(table.schema.field(n).type)]
        found = with_vectors(table, embedded, files)
        if self._job.dtype != "float32":
            found = with_numbers(found, list(self._job.columns), DTYPES[self._job.dtype])
        return self._described(found, block)

    def _described(self, found: pa.Table, block: RowsBlock) -> pa.Table:
        """A table whose metadata says where its rows are from, and what made their vectors."""
        of_block = {
            PLACE: block.place.encode("utf-8", "surrogateescape"),
            FIRST_ROW: str(block.row).encode(),
        }
        about = about_vectors(self._embedder.model.space)
        return found.replace_schema_metadata({**(found.schema.metadata or {}), **about, **of_block})


class _Stop(Exception):  # noqa: N818 - it ends the job, as asked for
    """An input failed, and that ends the job."""


def _options(modality: str, options: Mapping[str, str]) -> dict[str, str]:
    """Those of the options that the modality has."""
    known = item_options()
    return {name: value for name, value in options.items() if modality in known[name].readers}
