"""An index on disk: a folder of ``index.json``, ``vectors.npy``, ``rows.parquet`` and sometimes a graph."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.errors import InputError, OptionError
from bindrt.index.graph import ProximityGraph

HEADER, VECTORS, ROWS, GRAPH = "index.json", "vectors.npy", "rows.parquet", "graph.usearch"
COLUMNS = ["id", "modality", "metadata"]
SCHEMA = 1
_MAX_HEADER_BYTES = 1 << 16


@dataclass(frozen=True)
class Header:
    """What ``index.json`` holds besides the schema version; see :class:`bindrt.index.Index`."""

    space: str
    dim: int
    count: int
    approximate: bool
    bundle: str


@dataclass
class Entries:
    """What belongs to each vector: its id, its modality, its metadata as JSON (empty: none)."""

    ids: list[str] = field(default_factory=list)
    modalities: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add(self, ids: Sequence[str], modality: str, metadata: Sequence[Mapping[str, Any]] | None) -> None:
        """Adds all entries, or raises InputError and adds none."""
        for i, name in enumerate(ids):
            if not isinstance(name, str):
                raise InputError(f"ids[{i}]", f"{type(name).__name__} is not a text", "give a str")
        texts = [""] * len(ids) if metadata is None else [_json(m, i) for i, m in enumerate(metadata)]
        self.ids += ids
        self.modalities += [modality] * len(ids)
        self.texts += texts

    def metadata_of(self, row: int) -> Mapping[str, Any]:
        text = self.texts[row]
        return dict(json.loads(text)) if text else {}

    def of(self, modality: str) -> npt.NDArray[np.int64]:
        """The numbers of the rows of a modality."""
        return np.array([i for i, m in enumerate(self.modalities) if m == modality], np.int64)


def check_place(path: Path, item: str) -> None:
    """Raises OptionError if there is something at ``path`` that is not an index; the error names ``item``."""
    if path.exists() and not (path / HEADER).is_file():
        raise OptionError(item, "it exists and is not an index", "choose another place")


def save(
    path: Path,
    header: Header,
    vectors: npt.NDArray[np.float32],
    entries: Entries,
    graph: ProximityGraph | None,
) -> None:
    """Writes an index under another name and moves it to ``path``.

    Raises:
        OptionError: ``path`` exists and is not an index.
    """
    check_place(path, str(path))
    beside = path.with_name(f"{path.name}.new.{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        np.save(beside / VECTORS, vectors)
        columns = {"id": entries.ids, "modality": entries.modalities, "metadata": entries.texts}
        pq.write_table(pa.table({k: pa.array(v, pa.string()) for k, v in columns.items()}), beside / ROWS)
        if graph is not None:
            graph.save(beside / GRAPH)
        (beside / HEADER).write_text(
            json.dumps({"schema": SCHEMA, **asdict(header)}, indent=1) + "\n", "utf-8"
        )
        _replace(beside, path)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def load(path: Path) -> tuple[Header, npt.NDArray[np.float32], Entries]:
    """Reads what :func:`save` wrote, but for the graph; the vectors are memory-mapped.

    Raises:
        InputError: the folder is not an index, is damaged, or is of another version.
    """
    header = _header(path)
    try:
        vectors = np.load(path / VECTORS, mmap_mode="r", allow_pickle=False)
        # Not `read_table`, which imports pandas where it is installed: a quarter of a second.
        table = pq.ParquetFile(path / ROWS).read(COLUMNS).select(COLUMNS)
    except (OSError, ValueError, EOFError, KeyError, pa.ArrowException) as error:
        raise InputError(str(path), f"cannot be read ({error})", "build the index again") from None
    if vectors.dtype != np.float32 or vectors.shape != (header.count, header.dim):
        raise InputError(
            str(path), f"its vectors are {vectors.dtype} {list(vectors.shape)}", "build the index again"
        )
    if table.num_rows != header.count or any(c.null_count for c in table.columns):
        raise InputError(
            str(path), f"it has {table.num_rows} rows for {header.count} vectors", "build it again"
        )
    return header, vectors, Entries(*(column.to_pylist() for column in table.columns))


def _header(path: Path) -> Header:
    try:
        with open(path / HEADER, "rb") as file:
            data = json.loads(file.read(_MAX_HEADER_BYTES))
        if data.pop("schema") != SCHEMA:
            raise InputError(str(path), "it is of another version", "build the index again")
        header = Header(**data)
        sizes = header.dim, header.count
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            str(path), f"not an index ({error})", "give a folder that Index.save wrote"
        ) from None
    good = all(type(n) is int for n in sizes) and header.dim > 0 and header.count >= 0
    good = good and isinstance(header.space, str) and isinstance(header.bundle, str)
    if not good or not isinstance(header.approximate, bool):
        raise InputError(str(path), f"{HEADER} holds impossible values", "build the index again")
    return header


def _replace(beside: Path, path: Path) -> None:
    """Moves a folder into place. An index that was there is removed last."""
    old = path.with_name(f"{path.name}.old.{os.getpid()}")
    if path.exists():
        os.rename(path, old)
    os.rename(beside, path)
    shutil.rmtree(old, ignore_errors=True)


def _json(metadata: Mapping[str, Any], row: int) -> str:
    try:
        return json.dumps(dict(metadata), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"metadata[{row}]", f"JSON cannot hold it ({error})", "give texts and numbers"
        ) from None
