"""``rows.parquet``: ids, modalities, metadata. It is read in memory that its size on disk bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.index.entries import Coded, Entries
from bindrt.index.ids import Id
from bindrt.index.mapped import damaged, require_regular
from bindrt.limits import most_unpacked

Keys = npt.NDArray[np.int64]

_TEXTS = ("id", "modality", "metadata")
#: ``number`` is there if an id is a whole number, ``key`` if the graph knows the rows by other numbers.
_NUMBER, _KEY = "number", "key"
_BATCH = 1 << 16
#: The compressions that are read: what they make of a file is at most some twenty times as large.
_CODECS = {"SNAPPY", "UNCOMPRESSED"}


def write_rows(path: Path, entries: Entries, keys: Keys | None) -> None:
    """Writes all entries; ``keys`` are the rows' numbers in the graph, None if they count from 0."""
    numbered = any(isinstance(name, int) for name in entries.ids)
    fields = [pa.field(name, pa.string()) for name in _TEXTS]
    fields += [pa.field(_NUMBER, pa.int64())] * numbered + [pa.field(_KEY, pa.int64())] * (keys is not None)
    schema = pa.schema(fields)
    modalities, metadata = entries.modalities(), entries.texts()
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(entries), _BATCH):
            part = slice(start, start + _BATCH)
            ids = entries.ids[part]
            columns: dict[str, Any] = {
                "id": [name if isinstance(name, str) else "" for name in ids],
                "modality": modalities[part],
                "metadata": metadata[part],
            }
            if numbered:
                columns[_NUMBER] = [name if isinstance(name, int) else None for name in ids]
            if keys is not None:
                columns[_KEY] = keys[part]
            writer.write_table(pa.table(columns, schema))


def read_rows(path: Path, name: str, count: int) -> tuple[Entries, Keys | None]:
    """The entries that :func:`write_rows` wrote, and the rows' numbers in the graph.

    Args:
        name: the index, for errors.
        count: how many rows there must be.

    Raises:
        InputError: it is damaged, or its texts take far more memory than the file.
    """
    require_regular(path, name)
    try:
        with pq.ParquetFile(path, read_dictionary=list(_TEXTS)) as file:
            columns = _columns(file, path, name, count)
            return _read(file, columns, path, name)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise damaged(name, f"{path.name} cannot be read ({error})") from None


def _columns(file: pq.ParquetFile, path: Path, name: str, count: int) -> list[str]:
    """The columns to read, after a look at what the file says of itself."""
    if file.metadata.num_rows != count:
        raise damaged(name, f"{path.name} has {file.metadata.num_rows} rows for {count} vectors")
    kinds = {field.name: field.type for field in file.schema_arrow}
    columns = [*_TEXTS, *(extra for extra in (_NUMBER, _KEY) if extra in kinds)]
    for column in columns:
        expected = pa.dictionary(pa.int32(), pa.string()) if column in _TEXTS else pa.int64()
        if kinds.get(column) != expected:
            raise damaged(name, f"{path.name} has {kinds.get(column)} as {column}")
    for group in range(file.metadata.num_row_groups):
        for i in range(file.metadata.num_columns):
            if (codec := file.metadata.row_group(group).column(i).compression) not in _CODECS:
                raise damaged(name, f"{path.name} is compressed with {codec}")
    return columns


def _read(file: pq.ParquetFile, columns: list[str], path: Path, name: str) -> tuple[Entries, Keys | None]:
    entries, keys = Entries(), [np.empty(0, np.int64)]
    left = most_unpacked(path.stat().st_size)
    for batch in file.iter_batches(_BATCH, columns=columns):
        found = dict(zip(columns, batch.columns, strict=True))
        if any(found[column].null_count for column in columns if column != _NUMBER):
            raise damaged(name, f"{path.name} has rows without a value")
        coded = []
        for column in _TEXTS:
            used, numbers = np.unique(np.from_dlpack(found[column].indices), return_inverse=True)
            distinct = found[column].dictionary
            if len(used) < len(distinct):
                distinct = distinct.take(_as_arrow(used))
            left -= distinct.nbytes
            if left < 0:
                raise damaged(name, f"the texts of {path.name} take far more memory than the file")
            coded.append(Coded(distinct.to_pylist(), numbers))
        entries.add_coded(_ids(coded[0].all(), found.get(_NUMBER)), coded[1], coded[2])
        if _KEY in found:
            keys.append(np.from_dlpack(found[_KEY]).astype(np.int64, copy=False))
    return entries, np.concatenate(keys) if _KEY in columns else None


def _as_arrow(numbers: npt.NDArray[np.integer[Any]]) -> pa.Array:
    """Whole numbers for Arrow. Its own ways from and to NumPy import pandas where it is installed: 0.3 s."""
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(np.ascontiguousarray(numbers))])


def _ids(texts: list[str], numbers: pa.Array | None) -> list[Id]:
    if numbers is None:
        return list(texts)
    return [
        text if number is None else number for text, number in zip(texts, numbers.to_pylist(), strict=True)
    ]
