"""Tables: CSV and Parquet files as columns of numbers. Sizes are checked before memory is allocated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import LimitError, SourceError
from bindrt.limits import Limits
from bindrt.sources.opening import HEAD, IF_CUT, Opened, decoding, library

_DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*\Z")
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*\Z")
_LEAST = 3  # so many numbers in a row make a table
_LINES = 64  # so many lines may stand before the header
_FREE = 128 << 20  # bytes that the columns of any Parquet file may unpack to, however small it is
_TIMES = 64  # and so many for each byte of it; recordings of sensors pack to a fourth
_MISSING = ["", "NaN", "nan", "NA", "null", "None"]


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        names: its columns, from the header; numbers from 1 if it has none.
        skip: lines before the first row.
        delimiter, decimal: what stands between values, and before the fraction.
        encoding: in which numbers are read. Latin-1 takes any bytes, whatever other columns hold; UTF-8 takes
            the mark that may stand before the first number.
    """

    names: tuple[str, ...]
    skip: int
    delimiter: str
    decimal: str
    encoding: str


def csv_dialect(head: bytes) -> Dialect | None:
    """How a CSV file is written, by its first bytes; None if they are not a table of numbers.

    >>> csv_dialect(b"# a recording\\nt;ax;ay\\n0,5;1,5;2\\n0,6;1,5;2\\n")
    Dialect(names=('t', 'ax', 'ay'), skip=2, delimiter=';', decimal=',', encoding='latin1')
    """
    if any(byte < 32 and byte not in b"\t\n\r" for byte in head):
        return None
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_cut = error.start >= len(head) - 3 and len(head) >= HEAD  # within a character
        text = head[: error.start].decode("utf-8-sig") if is_cut else head.decode("latin1")
    lines = text.splitlines()[: _LINES + 2]
    for number, line in enumerate(lines):
        for delimiter in _DELIMITERS:
            if _numbers(line, delimiter) >= _LEAST:
                return _dialect(lines, number, delimiter, "latin1" if number else "utf8")
    return None


def _numbers(line: str, delimiter: str) -> int:
    return sum(_NUMBER.match(part.strip('" ')) is not None for part in line.split(delimiter))


def _dialect(lines: Sequence[str], number: int, delimiter: str, encoding: str) -> Dialect:
    """The dialect of a file whose first row is line ``number``."""
    parts = lines[number].split(delimiter)
    header = (
        [p.strip().strip("\"'") for p in lines[number - 1].lstrip("#%/ ").split(delimiter)] if number else []
    )
    has_header = len(header) == len(parts) and any(header)
    names = header if has_header else [str(i + 1) for i in range(len(parts))]
    is_comma = delimiter != "," and any(_COMMA_NUMBER.match(part) for part in parts)
    return Dialect(_unique(names), number, delimiter, "," if is_comma else ".", encoding)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """A name that comes again gets a number."""
    found: list[str] = []
    for name in names:
        count = 1
        while (unique := name if count == 1 else f"{name}.{count}") in found:
            count += 1
        found.append(unique)
    return tuple(found)


def table_names(opened: Opened, name: str) -> tuple[str, ...]:
    """The columns of a table; ``name`` is its format's, ``csv`` or ``parquet``."""
    if name == "csv":
        dialect = csv_dialect(opened.head)
        return dialect.names if dialect else ()
    with _parquet(opened) as file:
        return tuple(file.schema_arrow.names)


def read_table(
    opened: Opened, name: str, wanted: Sequence[str], limits: Limits
) -> tuple[dict[str, Array], int]:
    """Columns of numbers: ``[N]``, of lists of three ``[N, 3]``; times as they are, missing values NaN.

    Returns:
        The columns, and how many rows were damaged and left out.

    Raises:
        SourceError: the file is damaged, or a column is none of numbers or times.
        LimitError: more bytes than ``limits.max_bytes``.
    """
    table, lost = (_read_csv if name == "csv" else _read_parquet)(opened, wanted, limits)
    with decoding(opened.name, "table"):
        return {
            column: _as_numbers(table.column(column), f"{opened.name} column {column!r}") for column in wanted
        }, lost


def _read_csv(opened: Opened, wanted: Sequence[str], limits: Limits) -> tuple[Any, int]:
    csv = library("pyarrow.csv")
    dialect = csv_dialect(opened.head)
    if dialect is None:
        raise SourceError(opened.name, "the file is not a CSV table of numbers", "")
    _check_bytes(opened.size, opened.name, limits)
    lost: list[object] = []

    def leave_out(row: object) -> str:
        lost.append(row)
        return "skip"

    # Arrow's threads would let go of the stream and of leave_out later, perhaps while Python ends: it aborts.
    with opened.binary() as stream, decoding(opened.name, "CSV file", IF_CUT):
        table = csv.read_csv(
            stream,
            csv.ReadOptions(
                column_names=dialect.names, skip_rows=dialect.skip, encoding=dialect.encoding,
                use_threads=False,
            ),
            csv.ParseOptions(delimiter=dialect.delimiter, invalid_row_handler=leave_out),
            csv.ConvertOptions(
                include_columns=list(wanted), null_values=_MISSING, strings_can_be_null=True,
                decimal_point=dialect.decimal,
            ),
        )  # fmt: skip
    return table, len(lost)


@contextmanager
def _parquet(opened: Opened) -> Iterator[Any]:
    with opened.binary() as stream, decoding(opened.name, "Parquet file", IF_CUT):
        yield library("pyarrow.parquet").ParquetFile(stream, pre_buffer=False)


def _read_parquet(opened: Opened, wanted: Sequence[str], limits: Limits) -> tuple[Any, int]:
    with _parquet(opened) as file:
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        cells = [g.column(i) for g in groups for i in range(g.num_columns)]
        held = sum(c.num_values for c in cells if c.path_in_schema.partition(".")[0] in wanted)
        _check_bytes(held * 8, opened.name, limits)
        if held * 8 > _FREE + _TIMES * opened.size:
            raise SourceError(
                opened.name,
                f"its columns claim {held * 8} bytes of numbers, the file has {opened.size}",
                "a recording of a sensor does not pack so well: is it damaged?",
            )
        return file.read(columns=list(wanted), use_threads=False), 0


def _check_bytes(size: int, name: str, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise LimitError(
            name, f"{size} bytes are more than the limit of {limits.max_bytes}", "raise Limits.max_bytes"
        )


def _as_numbers(column: Any, name: str) -> Array:
    """A column of Arrow as NumPy: integers if none is missing, dates and times as integers, else floats."""
    types = library("pyarrow.types")
    kind = column.type
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        flat = np.asarray(column.combine_chunks().flatten().to_numpy(zero_copy_only=False))
        if len(flat) != 3 * len(column):
            raise SourceError(name, "its lists have not three numbers each", "x, y and z")
        return flat.reshape(-1, 3)
    if types.is_timestamp(kind) or types.is_time(kind) or types.is_duration(kind):
        return (
            np.asarray(column.to_numpy())
            .astype("datetime64[ns]" if types.is_timestamp(kind) else "i8")
            .view("i8")
        )
    if types.is_dictionary(kind):
        return _as_numbers(column.cast(kind.value_type), name)
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_null(kind)):
        raise SourceError(name, f"its values are not numbers: {kind}", "name other columns with columns=…")
    if column.null_count or not types.is_integer(kind):
        column = column.cast("float64")
    return np.asarray(column.to_numpy())
