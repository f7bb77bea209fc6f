"""Keeps finished rows on disk in segments until the whole output can be made.

The folder ``OUT.parts/`` beside ``OUT`` has one Parquet file for each segment. A segment is written under
another name and then moved, so each is whole. A run that is killed loses at most its last rows.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.bundle.space import require_same_space
from bindrt.errors import InputError, OptionError

SPACE = b"bindrt.space"
NORMALIZED = b"bindrt.normalized"


@dataclass(frozen=True)
class Row:
    """One row of the output. Either ``error`` or ``vector`` is None; ``vector`` is float32 ``[D]``."""

    source: str
    modality: str | None
    error: str | None
    vector: npt.NDArray[np.float32] | None


def schema(dim: int, space: str) -> pa.Schema:
    """The columns of the output; the space is in the metadata."""
    return pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            pa.field("modality", pa.string()),
            pa.field("error", pa.string()),
            pa.field("embedding", pa.list_(pa.float32(), dim)),
        ],
        metadata={SPACE: space.encode(), NORMALIZED: b"true"},
    )


def to_table(rows: list[Row], dim: int, space: str) -> pa.Table:
    valid = np.array([r.vector is not None for r in rows], bool)
    flat = np.concatenate([r.vector if r.vector is not None else np.zeros(dim, np.float32) for r in rows])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), dim, mask=pa.array(~valid))
    columns = [
        pa.array([clean(r.source) for r in rows], pa.string()),
        pa.array([r.modality for r in rows], pa.string()),
        pa.array([None if r.error is None else clean(r.error) for r in rows], pa.string()),
        vectors,
    ]
    return pa.Table.from_arrays(columns, schema=schema(dim, space))


def clean(text: str) -> str:
    """Text that UTF-8 can hold. Bytes of a file name that are not UTF-8 become escapes such as ``\\xff``."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        data = text.encode("utf-8", "backslashreplace")
    return data.decode("utf-8", "backslashreplace")


class Segments:
    """The folder of finished segments of one output."""

    def __init__(self, output: Path, dim: int, space: str, resume: bool) -> None:
        """Begins a run, or continues one with ``resume``.

        Raises:
            OptionError: there is an output or an unfinished run, and ``resume`` is False.
            SpaceError: the unfinished run has vectors of another space.
        """
        self.output = output
        self.folder = output.with_name(output.name + ".parts")
        self._left = output.with_name(output.name + ".parts.old")
        self._dim = dim
        self._space = space
        if not resume:
            self._refuse_existing()
        shutil.rmtree(self._left, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob("*.new"):
            left.unlink()
        if resume:
            self._check_space()

    def paths(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.parquet"))

    def next_number(self) -> int:
        taken = self.paths()
        return int(taken[-1].stem) + 1 if taken else 0

    def write(self, rows: list[Row], number: int | None = None) -> None:
        """Writes rows as the segment ``number``, replacing one that is there; by default as the next one."""
        if rows:
            self.write_table(to_table(rows, self._dim, self._space), number)

    def write_table(self, table: pa.Table, number: int | None = None) -> None:
        number = self.next_number() if number is None else number
        path = self.folder / f"{number:08d}.parquet"
        beside = path.with_name(path.name + ".new")
        with open(beside, "wb") as file:
            pq.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)

    def done(self) -> Counter[tuple[bool, str]]:
        """The inputs that have a row, and how many rows; see :meth:`bindrt.commands.inputs.Input.key`."""
        found: Counter[tuple[bool, str]] = Counter()
        for table in self.tables(["source", "modality"]):
            sources, modalities = table.column("source").to_pylist(), table.column("modality").to_pylist()
            found.update((m == "text", s) for s, m in zip(sources, modalities, strict=True))
        return found

    def rows(self) -> int:
        return sum(pq.read_metadata(path).num_rows for path in self.paths())

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        for path in self.paths():
            yield pq.read_table(path, columns=columns)

    def remove(self) -> None:
        """Removes all segments at once; some left by a killed removal would look like an unfinished run."""
        os.replace(self.folder, self._left)
        shutil.rmtree(self._left)

    def _refuse_existing(self) -> None:
        if self.output.exists():
            raise OptionError(
                str(self.output), "it exists", "add --resume to add to it, or choose another -o"
            )
        if self.folder.exists() and self.paths():
            raise OptionError(
                str(self.output),
                "an unfinished run is there",
                f"add --resume to go on, or remove {self.folder.name}",
            )

    def _check_space(self) -> None:
        for path in self.paths():
            require_same_space(self._space, table_space(path), str(self.output))


def table_space(path: Path) -> str:
    """The space recorded in a Parquet file that this command wrote."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(str(path), f"not a readable Parquet file ({error})", "remove it") from None
    if SPACE not in metadata:
        raise InputError(
            str(path), "it has no embedding space", "it was not written by bind-embed; choose another -o"
        )
    return str(metadata[SPACE].decode())


def as_json_line(row: Row, space: str) -> str:
    return json.dumps(
        {
            "source": clean(row.source),
            "modality": row.modality,
            "error": row.error,
            "embedding": None if row.vector is None else row.vector.tolist(),
            "space": space,
        },
        ensure_ascii=False,
    )


def vectors_of(table: pa.Table, dim: int) -> npt.NDArray[np.float32]:
    """A table's embedding column as ``[N, D]``; NaN where it is null."""
    column = table.column("embedding").combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # an empty table has no chunk to combine into
        return np.empty((0, dim), np.float32)
    flat = column.values.to_numpy(zero_copy_only=False)[
        column.offset * dim : (column.offset + len(column)) * dim
    ]
    rows = np.array(flat, np.float32).reshape(-1, dim)
    rows[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return rows
