"""Tables as blocks of rows: Parquet, Arrow, CSV, JSON lines, saved datasets, WebDataset shards."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.errors import OptionError
from bindrt.sources.folders import files_below
from bindrt.sources.remote import is_remote, open_remote, remote_files
from bindrt.tables.blocks import Block, RowsBlock
from bindrt.tables.lines import csv_tables, json_tables
from bindrt.tables.reading import reading
from bindrt.tables.samples import SamplesBlock, is_samples

_REMEDY = "give Parquet, Arrow, CSV, JSON lines, a dataset's folder or tar shards"


@dataclass(frozen=True)
class ParquetBlock(RowsBlock):
    """Rows of a Parquet file: some row groups, from their row ``first`` on."""

    place: str
    groups: tuple[int, ...]
    first: int
    count: int
    row: int = 0

    @property
    def name(self) -> str:
        return f"parquet {self.place} {self.groups} {self.first} {self.count}"

    @property
    def root(self) -> str:  # type: ignore[override]
        return os.path.dirname(self.place)

    def tables(self, rows: int) -> Iterator[pa.Table]:
        with reading(self.place), _opened(self.place) as file, pq.ParquetFile(file) as parquet:
            batches = parquet.iter_batches(rows, row_groups=list(self.groups))
            yield from _some(batches, self.first, self.count)


@dataclass(frozen=True)
class ArrowBlock(RowsBlock):
    """Rows of an Arrow file or stream, which is mapped into memory."""

    place: str
    first: int
    count: int

    @property
    def row(self) -> int:  # type: ignore[override]
        return self.first

    @property
    def name(self) -> str:
        return f"arrow {self.place} {self.first} {self.count}"

    @property
    def root(self) -> str:  # type: ignore[override]
        return os.path.dirname(self.place)

    def tables(self, rows: int) -> Iterator[pa.Table]:
        with reading(self.place), _opened(self.place) as file:
            for table in _some(_arrow_batches(file), self.first, self.count):
                for at in range(0, len(table), rows):
                    yield table.slice(at, rows)


@dataclass(frozen=True, eq=False)
class TableBlock(RowsBlock):
    """Rows that go with the block: a CSV or JSON file has no place where its n-th row begins."""

    place: str
    first: int
    table: pa.Table

    @property
    def row(self) -> int:  # type: ignore[override]
        return self.first

    @property
    def count(self) -> int:  # type: ignore[override]
        return len(self.table)

    @property
    def name(self) -> str:
        return f"table {self.place} {self.first} {self.count} {self.table.slice(0, 1).to_pylist()}"

    @property
    def root(self) -> str:  # type: ignore[override]
        return os.path.dirname(self.place)

    def tables(self, rows: int) -> Iterator[pa.Table]:
        for at in range(0, len(self.table), rows):
            yield self.table.slice(at, rows)


def table_blocks(places: list[str], rows: int, own: Sequence[Path] = ()) -> Iterator[Block]:
    """The rows of tables, in the order of the places.

    Args:
        places: files, folders with such files below them, folders of ``datasets``; on this machine or URLs.
        rows: of a block; one of a tar shard has all its samples.
        own: what the caller writes; what is below it in a folder is no input.

    Raises:
        OptionError: a place is no table.
        SourceError: a table cannot be read.
    """
    real = [os.path.realpath(place) for place in own]
    for place in places:
        for file in _files(place):
            if not any(_is_below(file, folder) for folder in real):
                yield from _blocks_of(file, rows)


def _is_below(file: str, folder: str) -> bool:
    """Whether a file is in a folder or beneath, or is the very file."""
    return not is_remote(file) and os.path.commonpath([os.path.realpath(file), folder]) == folder


def is_table(place: str) -> bool:
    """Whether a path or URL is a table's, by its suffix.

    >>> is_table("photos.parquet"), is_table("photo.jpg")
    (True, False)
    """
    return _reader(place) is not None


def _files(place: str) -> Iterator[str]:
    if is_remote(place):
        yield from remote_files(place)
        return
    place = os.path.abspath(os.path.expanduser(place))
    if not os.path.isdir(place):
        yield place
    elif os.path.exists(os.path.join(place, "state.json")):  # datasets.save_to_disk
        with reading(place), open(os.path.join(place, "state.json"), encoding="utf-8") as file:
            state = json.load(file)
        yield from (os.path.join(place, part["filename"]) for part in state["_data_files"])
    elif os.path.exists(os.path.join(place, "dataset_dict.json")):
        with reading(place), open(os.path.join(place, "dataset_dict.json"), encoding="utf-8") as file:
            splits = json.load(file)["splits"]
        for split in splits:
            yield from _files(os.path.join(place, split))
    else:
        found = [name for name in files_below(place) if is_table(name)]
        if not found:
            raise OptionError(place, "no table is below it", _REMEDY)
        yield from found


def _blocks_of(place: str, rows: int) -> Iterator[Block]:
    reader = _reader(place)
    if reader is None:
        raise OptionError(place, "it is no table", _REMEDY)
    with reading(place):
        yield from reader(place, rows)


def _reader(place: str) -> Callable[[str, int], Iterator[Block]] | None:
    if is_samples(place):
        return lambda place, rows: iter([SamplesBlock(place)])
    name = place.lower()
    return next((reader for suffixes, reader in _READERS.items() if name.endswith(suffixes)), None)


def _parquet(place: str, rows: int) -> Iterator[Block]:
    with _opened(place) as file:
        metadata = pq.read_metadata(file)
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    groups: list[int] = []
    before = 0
    for number in range(len(sizes)):
        groups.append(number)
        held = sum(sizes[group] for group in groups)
        if held >= rows or (held and number == len(sizes) - 1):
            step = held if held < 2 * rows else rows
            for first in range(0, held, step):
                yield ParquetBlock(place, tuple(groups), first, min(step, held - first), before + first)
            before, groups = before + held, []


def _arrow(place: str, rows: int) -> Iterator[Block]:
    with _opened(place) as file:
        total = sum(len(batch) for batch in _arrow_batches(file))
    for first in range(0, total, rows):
        yield ArrowBlock(place, first, min(rows, total - first))


def _csv(place: str, rows: int) -> Iterator[Block]:
    return _in_memory(place, csv_tables(lambda: _opened(place)), rows)


def _json_lines(place: str, rows: int) -> Iterator[Block]:
    return _in_memory(place, json_tables(lambda: _opened(place)), rows)


_READERS: dict[tuple[str, ...], Callable[[str, int], Iterator[Block]]] = {
    (".parquet",): _parquet,
    (".arrow", ".feather", ".ipc"): _arrow,
    (".csv", ".csv.gz"): _csv,
    (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"): _json_lines,
}


def _in_memory(place: str, tables: Iterator[pa.Table], rows: int) -> Iterator[Block]:
    """Blocks of ``rows`` rows, wherever the tables end."""
    first, held = 0, None
    for table in tables:
        held = table if held is None else pa.concat_tables([held, table])
        while len(held) >= rows:
            yield TableBlock(place, first, held.slice(0, rows).combine_chunks())
            first, held = first + rows, held.slice(rows)
    if held is not None and len(held):
        yield TableBlock(place, first, held.combine_chunks())


def _arrow_batches(file: Any) -> Iterator[pa.RecordBatch]:
    begins = file.read(6)
    file.seek(0)
    if begins == b"ARROW1":
        reader = pa.ipc.open_file(file)
        yield from (reader.get_batch(number) for number in range(reader.num_record_batches))
    else:
        yield from pa.ipc.open_stream(file)


def _some(batches: Iterator[pa.RecordBatch], first: int, count: int) -> Iterator[pa.Table]:
    """``count`` rows of some batches, from the row ``first`` on."""
    at = 0
    for batch in batches:
        begin, end = max(first - at, 0), min(first + count - at, len(batch))
        at += len(batch)
        if begin < end:
            yield pa.Table.from_batches([batch.slice(begin, end - begin)])
        if at >= first + count:
            return


@contextmanager
def _opened(place: str) -> Iterator[Any]:
    """A file as pyarrow reads it: mapped, or from its store; a compressed one is unpacked meanwhile."""
    with open_remote(place) if is_remote(place) else _local(place) as file:
        is_packed = place.endswith(".gz") and is_remote(place)
        yield pa.CompressedInputStream(file, "gzip") if is_packed else file


def _local(place: str) -> Any:
    """A file on this machine; a compressed one is unpacked while it is read."""
    return pa.input_stream(place) if place.endswith(".gz") else pa.memory_map(place)
