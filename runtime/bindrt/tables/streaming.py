"""``Model.stream`` over tables: a result for each row, with its other columns."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bindrt.errors import Error, OptionError
from bindrt.notes import Notes
from bindrt.tables.blocks import Block, RowsBlock
from bindrt.tables.cells import is_text, items_of, no_column, require_names
from bindrt.tables.places import table_blocks

Vector = npt.NDArray[np.float32]
#: Takes some items of a modality; the future of each.
Submit = Callable[[str, list[object]], Sequence[Future[Vector]]]
#: Rows of a block: so many of a CSV file are in memory at once.
_BLOCK = 1024
_REMEDY = "give paths or URLs of tables, or an Arrow table"


@dataclass(frozen=True, eq=False)
class StreamedRow:
    """What became of one row of a table.

    Attributes:
        index: the row's index among all rows of the stream, from 0.
        place: the table's path or URL; None for one in memory.
        row: the number of the row in that table, from 0.
        columns: the row's values, by column; embedded columns are there if they hold paths or texts.
        vectors: float32 ``[D]``, by modality; those that have no value, or an error, are not there.
        errors: why a modality has none, with ``on_error="skip"``.
        notes: what preprocessing reports, by modality.

    >>> found = next(model.stream({"text": "caption"}, pa.table({"caption": ["a bell"], "n": [7]})))
    >>> found.vectors["text"].shape, found.columns["n"]
    ((96,), 7)
    """

    index: int
    place: str | None
    row: int
    columns: dict[str, Any]
    vectors: dict[str, Vector]
    errors: dict[str, Error] = field(default_factory=dict)
    notes: dict[str, Notes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Piece:
    """Some rows of one table that are embedded together.

    Attributes:
        place, root: as those of :class:`RowsBlock`.
        row: the number of its first row.
        is_sparse: as that of :class:`RowsBlock`.
    """

    table: pa.Table
    place: str | None
    row: int
    root: str | None
    is_sparse: bool = False

    def name(self, row: int, modality: str) -> str:
        """What an error of a value is named by."""
        return f"{self.place or 'the table'} row {self.row + row} {modality}"


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A row in work."""

    piece: _Piece
    row: int
    columns: dict[str, Any]
    futures: dict[str, Future[Vector]] = field(default_factory=dict)


def stream_rows(
    tables: object,
    columns: Mapping[str, str],
    options: Mapping[str, Mapping[str, str]],
    submit: Submit,
    prefetch: int,
    skip: bool,
) -> Iterator[StreamedRow]:
    """The rows of tables in their order, with up to ``prefetch`` rows taken ahead; what is in work when the
    caller stops early, or at an error, is cancelled.

    Args:
        tables: a path or URL, or a list of them, as :func:`table_blocks` takes them; or an Arrow table.
        columns: the column of each modality that is embedded.
        options: how items are read, by modality.

    Raises:
        OptionError: ``tables`` are no tables.
        InputError: a table lacks a column.
        SourceError: a table cannot be read.
        Error: a value cannot be embedded, unless it is to be skipped.
    """
    pieces = _pieces(tables, max(1, prefetch // 4))
    return _stream(pieces, columns, options, submit, prefetch, skip)


def _stream(
    pieces: Iterator[_Piece],
    columns: Mapping[str, str],
    options: Mapping[str, Mapping[str, str]],
    submit: Submit,
    prefetch: int,
    skip: bool,
) -> Iterator[StreamedRow]:
    waiting: deque[_Waiting] = deque()
    index = 0
    try:
        for piece in pieces:
            waiting.extend(_begun(piece, columns, options, submit))
            while len(waiting) >= prefetch:
                yield _finished(waiting.popleft(), index, skip)
                index += 1
        while waiting:
            yield _finished(waiting.popleft(), index, skip)
            index += 1
    finally:
        for row in waiting:
            for future in row.futures.values():
                future.cancel()


def _pieces(tables: object, rows: int) -> Iterator[_Piece]:
    if isinstance(tables, pa.RecordBatch):
        tables = pa.Table.from_batches([tables])
    if isinstance(tables, pa.Table):
        starts = range(0, len(tables), rows)
        return (_Piece(tables.slice(at, rows), None, at, None) for at in starts)
    return _of_blocks(table_blocks(_places(tables), _BLOCK), rows)


def _of_blocks(blocks: Iterator[Block], rows: int) -> Iterator[_Piece]:
    for block in blocks:
        assert isinstance(block, RowsBlock)
        first = block.row
        for some in block.tables(rows):
            yield _Piece(some, block.place, first, block.root, block.is_sparse)
            first += len(some)


def _places(tables: object) -> list[str]:
    given = [tables] if isinstance(tables, (str, os.PathLike)) else tables
    if not isinstance(given, Iterable) or isinstance(given, (bytes, bytearray, memoryview, Mapping)):
        raise OptionError("stream", f"{type(tables).__name__} is no table", _REMEDY)
    found = []
    for place in given:
        if not isinstance(place, (str, os.PathLike)):
            raise OptionError("stream", f"{type(place).__name__} is no table's place", _REMEDY)
        found.append(os.fsdecode(place))
    return found


def _begun(
    piece: _Piece, columns: Mapping[str, str], options: Mapping[str, Mapping[str, str]], submit: Submit
) -> list[_Waiting]:
    """The rows of a piece, of which all values are in work."""
    there = piece.table.schema
    require_names(there.names, piece.place)
    kept = [n for n in there.names if n not in columns.values() or is_text(there.field(n).type)]
    rows = [_Waiting(piece, row, values) for row, values in enumerate(piece.table.select(kept).to_pylist())]
    for modality, name in columns.items():
        if name in there.names:
            values = piece.table[name].to_pylist()
            items, places = items_of(modality, values, piece.root, options.get(modality, {}))
            for row, future in zip(places, submit(modality, items), strict=True):
                rows[row].futures[modality] = future
        elif not piece.is_sparse:
            raise no_column(name, there.names, piece.place)
    return rows


def _finished(waiting: _Waiting, index: int, skip: bool) -> StreamedRow:
    piece = waiting.piece
    found = StreamedRow(index, piece.place, piece.row + waiting.row, waiting.columns, {})
    for modality, future in waiting.futures.items():
        try:
            found.vectors[modality] = future.result()
        except Error as error:
            named = error.at(piece.name(waiting.row, modality))
            if not skip:
                _cancel(waiting)
                raise named from None
            found.errors[modality] = named
        else:
            found.notes[modality] = getattr(future, "notes", {})
    return found


def _cancel(waiting: _Waiting) -> None:
    for future in waiting.futures.values():
        future.cancel()
