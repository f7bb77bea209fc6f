"""Rows as a Lance data set: a folder ``NAME.lance``, which is also a table of LanceDB."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from bindrt.errors import OptionError
from bindrt.integrations.libraries import tool

SUFFIX = ".lance"
_NAME = re.compile(r"[\w.-]+", re.ASCII)


def check_lance(output: Path) -> None:
    """Raises Error if LanceDB is not installed, OptionError if it takes no such name."""
    _library()
    if not _NAME.fullmatch(output.stem):
        raise OptionError(f"-o {output}", "Lance takes letters, digits, _, - and . in a name", "rename it")


def write_lance(output: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Writes tables to a folder beside ``output``, which then takes its place."""
    beside = output.with_name(f".{output.name}.new")
    shutil.rmtree(beside, ignore_errors=True)  # a killed run may have left it
    batches = (batch for table in tables for batch in table.cast(schema).to_batches())
    rows = pa.RecordBatchReader.from_batches(schema, batches)
    try:
        # Without the option LanceDB refuses rows that have an error in place of the vector.
        _library().connect(beside).create_table("rows", rows, on_bad_vectors="null")
        if output.exists():
            os.rename(output, beside / "old")
        os.rename(beside / f"rows{SUFFIX}", output)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def open_lance(output: Path, rows: int) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """The columns of a data set, and its rows, so many at a time, in their order."""
    table = _library().connect(output.parent).open_table(output.stem)
    batches = table.search().to_batches(rows)
    return table.schema, (pa.Table.from_batches([batch]) for batch in batches)


def _library() -> Any:
    return tool("lancedb", "lancedb")
