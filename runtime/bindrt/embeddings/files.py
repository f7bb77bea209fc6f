"""Embeddings in files: Parquet and npz, with the columns that ``bind-embed`` writes."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.errors import InputError, OptionError, cannot_write
from bindrt.limits import most_unpacked
from bindrt.text import clean

#: In the metadata of a Parquet file.
SPACE = b"bindrt.space"
NORMALIZED = b"bindrt.normalized"
_MODALITIES = b"bindrt.modalities"

SUFFIXES = (".parquet", ".npz")
_TEXTS = ("source", "modality", "error", "notes")
#: Seconds of windows; a file without windows need not have them.
_TIMES = ("start", "end")

Span = tuple[float, float]


@dataclass
class Table:
    """Embeddings as rows, one for each item; ``vectors`` is float32 ``[N, D]``, NaN where an item failed.

    ``modalities`` are all that were embedded, also those without an item. ``spans`` are the seconds of rows
    that are windows; empty: there is none.
    """

    space: str
    normalized: bool
    modalities: list[str]
    vectors: npt.NDArray[np.float32]
    texts: dict[str, list[str | None]]
    notes: list[Mapping[str, Any]] = field(default_factory=list)
    spans: list[Span | None] = field(default_factory=list)

    def times(self) -> dict[str, npt.NDArray[np.float64]]:
        """Start and end as columns, NaN for rows that are no windows; empty if there is no window."""
        if not any(self.spans):
            return {}
        pairs = np.array([span or (np.nan, np.nan) for span in self.spans], np.float64)
        return dict(zip(_TIMES, pairs.T, strict=True))


def as_path(path: object) -> Path:
    """A path whose suffix names one of the formats.

    Raises:
        OptionError: it is not a path, or has another suffix.
    """
    if not isinstance(path, (str, os.PathLike)) or Path(os.fsdecode(path)).suffix not in SUFFIXES:
        raise OptionError(f"path={path!r}"[:200], "unknown suffix", f"one of {', '.join(SUFFIXES)}")
    return Path(os.fsdecode(path))


def write(path: Path, table: Table) -> None:
    """Writes a file under another name, and moves it into place.

    Raises:
        Error: the system refuses.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        try:
            (_write_parquet if path.suffix == ".parquet" else _write_npz)(beside, table)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None


def _write_parquet(path: Path, table: Table) -> None:
    dim = table.vectors.shape[1]
    failed = np.array([error is not None for error in table.texts["error"]], bool)
    flat = pa.array(np.where(failed[:, None], 0, table.vectors).reshape(-1), pa.float32())
    vectors = pa.FixedSizeListArray.from_arrays(flat, dim, mask=pa.array(failed, pa.bool_()))
    columns = {name: pa.array(table.texts[name], pa.string()) for name in _TEXTS}
    columns |= {name: pa.array(times, from_pandas=True) for name, times in table.times().items()}
    order = ["source", "modality", "error", "embedding", *(n for n in columns if n not in _TEXTS[:3])]
    found = pa.table([{**columns, "embedding": vectors}[name] for name in order], names=order)
    told = {
        SPACE: table.space.encode(),
        NORMALIZED: b"true" if table.normalized else b"false",
        _MODALITIES: ",".join(table.modalities).encode(),
    }
    pq.write_table(found.replace_schema_metadata(told), path)


def _write_npz(path: Path, table: Table) -> None:
    texts = {name: np.array([text or "" for text in table.texts[name]], dtype=str) for name in _TEXTS}
    told = {"space": np.array(table.space), "normalized": np.array(table.normalized)}
    told["modalities"] = np.array(",".join(table.modalities))
    with open(path, "wb") as file:
        np.savez(file, allow_pickle=False, embedding=table.vectors, **told, **texts, **table.times())


def read(path: Path) -> Table:
    """Reads what :func:`write` or ``bind-embed`` wrote.

    Raises:
        InputError: it is missing, damaged, or something else.
    """
    try:
        if not path.is_file():
            raise ValueError("it is missing, or not a regular file")
        return (_read_parquet if path.suffix == ".parquet" else _read_npz)(path)
    except Exception as error:  # readers of damaged files raise what they like
        raise InputError(
            str(path), f"cannot be read as embeddings ({error})", "give a file that Embeddings.save wrote"
        ) from None


def _read_parquet(path: Path) -> Table:
    with pq.ParquetFile(path) as file:
        there = file.schema_arrow.names
        names = ["embedding", *(name for name in (*_TEXTS, *_TIMES) if name in there)]
        size = sum(
            file.metadata.row_group(group).column(i).total_uncompressed_size
            for group in range(file.metadata.num_row_groups)
            for i in range(file.metadata.num_columns)
        )
        _require_bounded(size, path)
        found = file.read(names)
        told = file.schema_arrow.metadata or {}
    column = found.column("embedding").combine_chunks()
    if not pa.types.is_fixed_size_list(column.type):
        raise ValueError(f"embedding is {column.type}")
    dim = column.type.list_size
    vectors = np.array(pa.compute.list_flatten(column.fill_null([0.0] * dim)), np.float32).reshape(-1, dim)
    vectors[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
    texts = {name: found.column(name).to_pylist() for name in _TEXTS if name in names}
    times = [found.column(name).to_pylist() for name in _TIMES if name in names]
    normalized = told.get(NORMALIZED, b"true") == b"true"
    named = _names(told.get(_MODALITIES))
    return _checked(
        Table(told[SPACE].decode(), normalized, named, vectors, texts, spans=_spans(times, len(vectors)))
    )


def _read_npz(path: Path) -> Table:
    with zipfile.ZipFile(path) as archive:
        _require_bounded(sum(member.file_size for member in archive.infolist()), path)
    with np.load(path, allow_pickle=False) as archive:
        texts = {
            name: [text or None for text in archive[name].tolist()]
            for name in _TEXTS
            if name in archive.files
        }
        normalized = bool(archive["normalized"]) if "normalized" in archive.files else True
        names = _names(str(archive["modalities"]).encode() if "modalities" in archive.files else None)
        vectors = np.array(archive["embedding"], np.float32)
        times = [archive[name].tolist() for name in _TIMES if name in archive.files]
        spans = _spans(times, len(vectors))
        return _checked(Table(str(archive["space"]), normalized, names, vectors, texts, spans=spans))


def _spans(times: list[list[float | None]], rows: int) -> list[Span | None]:
    """The seconds of each row from its columns; None where they are null or NaN."""
    if len(times) < len(_TIMES):
        return [None] * rows
    found: list[Span | None] = []
    for start, end in zip(*times, strict=True):
        known = start is not None and end is not None and start == start and end == end
        found.append((float(start), float(end)) if known else None)
    if len(found) != rows:
        raise ValueError("start and end do not fit the vectors")
    return found


def _names(text: bytes | None) -> list[str]:
    return text.decode().split(",") if text else []


def _require_bounded(size: int, path: Path) -> None:
    if size > most_unpacked(path.stat().st_size):
        raise ValueError(f"it would take {size} bytes of memory")


def _checked(table: Table) -> Table:
    texts, vectors = table.texts, table.vectors
    for name in _TEXTS:
        column = texts.setdefault(name, [None] * len(vectors))
        if len(column) != len(vectors) or not all(text is None or isinstance(text, str) for text in column):
            raise ValueError(f"{name} does not fit the vectors")
    if vectors.ndim != 2:
        raise ValueError(f"its vectors are {list(vectors.shape)}")
    failed = np.array([error is not None for error in texts["error"]], bool)
    if not np.isfinite(vectors[~failed]).all():
        raise ValueError("a vector is not finite")
    vectors[failed] = np.nan
    found = dict.fromkeys([*table.modalities, *(text or "" for text in texts["modality"])])
    table.modalities = list(found)
    table.notes = [json.loads(text) if text else {} for text in texts["notes"]]
    if not all(isinstance(notes, dict) for notes in table.notes):
        raise ValueError("the notes of a row are not an object")
    return table


def as_text(notes: Mapping[str, Any]) -> str | None:
    """Notes of an item as JSON; None if there are none."""
    return clean(json.dumps(dict(notes), ensure_ascii=False)) if notes else None
