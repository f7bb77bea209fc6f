"""Takes the rows of a finished output as the first segment of a run, so that ``--resume`` adds to it."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bindrt.bundle.space import require_same_space
from bindrt.commands.file_states import FileState
from bindrt.commands.indexing import index_rows
from bindrt.commands.lance_files import SUFFIX as LANCE
from bindrt.commands.lance_files import open_lance
from bindrt.commands.rows import (
    DTYPES,
    FIRST_COLUMNS,
    NUMBER_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    UNKNOWN,
    Row,
    to_table,
    with_all_columns,
)
from bindrt.commands.segments import Segments, table_space
from bindrt.embeddings.files import SPACE
from bindrt.errors import Error, InputError
from bindrt.index import Index

_ROWS = 4096
_OBJECTS = ("options", "notes")  # in JSON lines they are objects
#: What readers of damaged files raise.
_DAMAGE = (
    OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, RecursionError,
    OverflowError, NotImplementedError, RuntimeError, zipfile.BadZipFile, struct.error, pa.ArrowException,
)  # fmt: skip

Item = TypeVar("Item")


def adopt(segments: Segments) -> None:
    """Takes the rows of a finished output, if there is one and no unfinished run.

    Raises:
        SpaceError: the output's vectors are of another space.
        OptionError: the output's vectors have another dtype than was asked for.
        InputError: the output is damaged. Then there is no segment.
    """
    output = segments.output
    if not output.exists() or segments.paths():
        return
    readers: dict[str, Callable[[Segments], Iterable[pa.Table]]] = {
        ".parquet": from_parquet, ".npz": from_npz, ".jsonl": from_jsonl, LANCE: from_lance,
    }  # fmt: skip
    read = from_index if output.is_dir() and output.suffix != LANCE else readers[output.suffix]
    try:
        tables = _checked(read(segments))
        if (first := next(tables, None)) is not None:  # by now the reader knows the dtype
            segments.write_tables(chain([first], tables))
    except _DAMAGE as error:
        segments.remove()
        if isinstance(error, Error):
            raise
        raise InputError(str(output), f"cannot be added to ({error})", "choose another -o") from None
    except BaseException:
        segments.remove()
        raise


def _checked(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Tables whose rows have either an error or a vector of finite numbers."""
    for table in tables:
        vectors = table.column("embedding").combine_chunks()
        failed = pc.is_valid(table.column("error")).to_numpy()
        if (pc.is_valid(table.column("embedding")).to_numpy() == failed).any():
            raise ValueError("a row has neither a vector nor an error, or both")
        if pc.any(
            pc.and_(pc.is_valid(table.column("embedding")), pc.is_null(table.column("modality")))
        ).as_py():
            raise ValueError("a vector has no modality")
        numbers = pc.list_flatten(vectors).to_numpy(zero_copy_only=False)
        if not np.isfinite(numbers).all():
            raise ValueError("a vector has numbers that are not finite")
        yield table


def from_parquet(segments: Segments) -> Iterator[pa.Table]:
    require_same_space(segments.space, table_space(segments.output), str(segments.output))
    with pq.ParquetFile(segments.output) as file:
        if file.schema_arrow.names[: len(FIRST_COLUMNS)] != list(FIRST_COLUMNS):
            raise ValueError(f"its columns are {', '.join(file.schema_arrow.names)[:200]}")
        segments.adopt_dtype(file.schema_arrow, str(segments.output))
        for batch in file.iter_batches(_ROWS):
            yield with_all_columns(pa.Table.from_batches([batch]), segments.schema)


def from_lance(segments: Segments) -> Iterator[pa.Table]:
    found, tables = open_lance(segments.output, _ROWS)
    require_same_space(segments.space, (found.metadata or {})[SPACE].decode(), str(segments.output))
    segments.adopt_dtype(found, str(segments.output))
    for table in tables:
        yield with_all_columns(table, segments.schema)


def from_npz(segments: Segments) -> Iterator[pa.Table]:
    with np.load(segments.output, allow_pickle=False) as archive:
        require_same_space(segments.space, str(archive["space"]), str(segments.output))
        vectors = archive["embedding"]
        if vectors.ndim != 2 or vectors.shape[1] != segments.dim:
            raise ValueError(f"its vectors have shape {list(vectors.shape)}")
        found = pa.list_(pa.from_numpy_dtype(vectors.dtype), segments.dim)
        segments.adopt_dtype(pa.schema([pa.field("embedding", found)]), str(segments.output))
        known = ("source", "modality", "error", *TEXT_COLUMNS, *NUMBER_COLUMNS, *TIME_COLUMNS)
        names = [name for name in known if name in archive.files]
        columns = {name: archive[name].tolist() for name in names}
    rows = zip(*(columns.values()), vectors, strict=True)
    for part in _parts(rows, _ROWS):
        yield _table([_npz_row(dict(zip(names, values, strict=True)), v) for *values, v in part], segments)


def _npz_row(values: dict[str, Any], vector: Any) -> Row:
    error = values["error"] or None
    data = {
        name: None if value in ("", UNKNOWN) or value != value else value for name, value in values.items()
    }
    return Row(
        values["source"], data["modality"], error, None if error else vector,
        data.get("options"), data.get("notes"), _state(data), start=data.get("start"), end=data.get("end"),
    )  # fmt: skip


def from_jsonl(segments: Segments) -> Iterator[pa.Table]:
    with open(segments.output, encoding="utf-8") as file:
        for part in _parts(enumerate(file, 1), _ROWS):
            yield _table([_json_row(line, number, segments) for number, line in part], segments)


def _json_row(line: str, number: int, segments: Segments) -> Row:
    try:
        data = json.loads(line)
        require_same_space(segments.space, str(data["space"]), str(segments.output))
        vector = None if data["embedding"] is None else np.array(data["embedding"], np.float32)
        if vector is not None and vector.shape != (segments.dim,):
            raise ValueError(f"the vector has shape {list(vector.shape)}")
        for name in ("source", "modality", "error"):
            if not isinstance(data[name], str) and (data[name] is not None or name == "source"):
                raise ValueError(f"{name} is not a text")
        options, notes = (json.dumps(data[n], ensure_ascii=False) if n in data else None for n in _OBJECTS)
        start, end = (None if data.get(name) is None else float(data[name]) for name in TIME_COLUMNS)
        return Row(
            data["source"], data["modality"], data["error"], vector, options, notes, _state(data),
            start=start, end=end,
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        if isinstance(error, Error):
            raise
        raise ValueError(f"line {number}: {error or type(error).__name__}") from None


def from_index(segments: Segments) -> Iterator[pa.Table]:
    index = Index.load(segments.output)
    require_same_space(segments.space, index.space, str(segments.output))
    if index.dtype not in DTYPES:
        raise ValueError(f"its vectors are {index.dtype}")
    found = pa.list_(DTYPES[index.dtype], segments.dim)
    segments.adopt_dtype(pa.schema([pa.field("embedding", found)]), str(segments.output))
    for part in _parts(index_rows(index), _ROWS):
        yield _table(part, segments)


def _table(rows: list[Row], segments: Segments) -> pa.Table:
    return to_table(rows, segments.dim, segments.space, segments.dtype)


def _state(data: dict[str, Any]) -> FileState | None:
    size = data.get("size")
    return None if size is None else FileState(size, data.get("modified_ns"), data.get("sha256"))


def _parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part
