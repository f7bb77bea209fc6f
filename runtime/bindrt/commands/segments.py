"""Keeps finished rows on disk in segments until the whole output can be made.

The folder ``OUT.parts/`` beside ``OUT`` has one Parquet file for each segment, named by the number of its
first row. A segment is written under another name and then moved, so each is whole. A run that is killed
loses at most its last rows.

Small segments are merged into one, which takes the name of the first of them. What a kill then leaves of the
others is known by its name: a segment that begins before the end of another one is a rest of a merge.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.bundle.space import require_same_space
from bindrt.commands.rows import DTYPES, Row, schema, to_table, with_all_columns
from bindrt.embeddings.files import SPACE
from bindrt.errors import InputError, OptionError

#: In the metadata of a segment: numbers of the rows that its rows take the place of.
REPLACED = b"bindrt.replaced"
#: So many segments of fewer than ``LARGE`` rows are merged: 10 million rows are some hundred files.
MERGE, LARGE = 16, 65536
_NAMES = "[0-9]" * 12 + ".parquet"


def parts_folder(output: Path) -> Path:
    """Where the segments of an output are."""
    return output.with_name(output.name + ".parts")


def require_new(output: Path) -> None:
    """Raises OptionError if there is an output, or an unfinished run."""
    if output.exists():
        raise OptionError(str(output), "it exists", "add --resume to add to it, or choose another -o")
    folder = parts_folder(output)
    if any(folder.glob(_NAMES)):
        raise OptionError(
            str(output), "an unfinished run is there", f"add --resume to go on, or remove {folder.name}"
        )


class Segments:
    """The finished segments of one output.

    Attributes:
        output: what is made from them.
        schema: the columns of the output.
        dropped: numbers of rows that are not part of the output: others have taken their place.
    """

    def __init__(self, output: Path, dim: int, space: str, resume: bool, dtype: str | None = None) -> None:
        """Begins a run, or continues one with ``resume``.

        Args:
            dtype: type of the vectors' numbers; None: that of the run which is continued, else float32.

        Raises:
            OptionError: there is an output or an unfinished run, and ``resume`` is False; or the unfinished
                run has another ``dtype``.
            SpaceError: the unfinished run has vectors of another space.
        """
        self.output = output
        self.folder = parts_folder(output)
        self._left = output.with_name(output.name + ".parts.old")
        self._dtype = dtype
        self.schema = schema(dim, space, dtype or "float32")
        self.dropped: set[int] = set()
        if not resume:
            require_new(output)
        shutil.rmtree(self._left, ignore_errors=True)
        for left in self.folder.glob("*.new"):
            left.unlink()
        if resume:
            self._continue(space)

    @property
    def space(self) -> str:
        return str(self.schema.metadata[SPACE].decode())

    @property
    def dim(self) -> int:
        return int(self.schema.field("embedding").type.list_size)

    @property
    def dtype(self) -> str:
        return next(n for n, t in DTYPES.items() if t == self.schema.field("embedding").type.value_type)

    def adopt_dtype(self, found: pa.Schema, where: str) -> None:
        """Takes over the type of the vectors of an earlier run.

        Raises:
            OptionError: another one was asked for.
        """
        theirs = found.field("embedding").type.value_type
        name = next((n for n, t in DTYPES.items() if t == theirs), str(theirs))
        if self._dtype not in (None, name):
            raise OptionError(
                f"--dtype {self._dtype}", f"{where} has {name}", "leave it out, or choose another -o"
            )
        self.schema, self._dtype = schema(self.dim, self.space, name), name

    def paths(self) -> list[Path]:
        """The segments in the order of their rows."""
        return [path for _, path, _ in self._segments()]

    def next_number(self) -> int:
        """The number of the next row."""
        found = self._segments()
        return found[-1][0] + found[-1][2] if found else 0

    def write(self, rows: list[Row], first: int | None = None) -> None:
        """Writes rows as a segment.

        Args:
            first: the number of the first of them. A segment that begins there is replaced. None: they come
                after all others.
        """
        if rows:
            replaced = [number for row in rows for number in row.replaced]
            table = to_table(rows, self.dim, self.space, self.dtype)
            self.write_tables([table], first, replaced)
            self.dropped.update(replaced)

    def write_tables(
        self, tables: Iterable[pa.Table], first: int | None = None, replaced: Iterable[int] = ()
    ) -> None:
        """Writes tables as one segment; all or none, whatever happens."""
        first = self.next_number() if first is None else first
        metadata = {**self.schema.metadata, REPLACED: json.dumps(sorted(replaced)).encode()}
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{first:012d}.parquet"
        beside = path.with_name(path.name + ".new")
        try:
            with open(beside, "wb") as file:
                with pq.ParquetWriter(file, self.schema.with_metadata(metadata)) as writer:
                    for table in tables:
                        writer.write_table(table)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except Exception:
            beside.unlink(missing_ok=True)
            with suppress(OSError):
                self.folder.rmdir()  # if nothing else is in it
            raise

    def merge(self) -> None:
        """Merges the last small segments into one, if there are many."""
        found = self._segments()
        large = [i for i, (_, _, rows) in enumerate(found) if rows >= LARGE]
        small = found[large[-1] + 1 if large else 0 :]
        if len(small) < MERGE:
            return
        replaced = [number for _, path, _ in small for number in replaced_by(path)]
        self.write_tables((self._read(path) for _, path, _ in small), small[0][0], replaced)
        for _, path, _ in small[1:]:
            path.unlink()

    def rows(self) -> int:
        """How many rows the output has."""
        return sum(rows for _, _, rows in self._segments()) - len(self.dropped)

    def numbered(self, columns: list[str]) -> Iterator[tuple[int, pa.Table]]:
        """Every segment: the number of its first row, and all its rows, dropped ones too."""
        for first, path, _ in self._segments():
            yield first, self._read(path, columns)

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """The rows of the output, a segment at a time."""
        dropped = np.array(sorted(self.dropped), np.int64)
        for first, path, rows in self._segments():
            table = self._read(path, columns).replace_schema_metadata(self.schema.metadata)
            here = dropped[(dropped >= first) & (dropped < first + rows)] - first
            if len(here):
                kept = np.ones(rows, bool)
                kept[here] = False
                table = table.filter(pa.array(kept))
            yield table

    def remove(self) -> None:
        """Removes all segments at once; some left by a killed removal would look like an unfinished run."""
        if self.folder.exists():
            os.replace(self.folder, self._left)
            shutil.rmtree(self._left)

    def _read(self, path: Path, columns: list[str] | None = None) -> pa.Table:
        """A segment; columns that the version which wrote it did not have are null."""
        there = pq.read_schema(path).names
        wanted = pa.schema([self.schema.field(name) for name in columns or self.schema.names])
        table = pq.read_table(path, columns=[name for name in wanted.names if name in there])
        return table if table.column_names == wanted.names else with_all_columns(table, wanted)

    def _segments(self) -> list[tuple[int, Path, int]]:
        """The number of the first row, the path, and the number of rows of each segment, in order."""
        found: list[tuple[int, Path, int]] = []
        end = 0
        for path in sorted(self.folder.glob(_NAMES)):
            first = int(path.stem)
            if first >= end:  # otherwise a rest of a merge
                rows = rows_in(path)
                found.append((first, path, rows))
                end = first + rows
        return found

    def _continue(self, space: str) -> None:
        for path in sorted(self.folder.glob(_NAMES)):
            rows_in(path)  # these say whether it is ours, before anything is removed
            replaced_by(path)
        whole = self.paths()
        for path in self.folder.glob(_NAMES):
            if path not in whole:
                path.unlink()
        for path in whole:
            require_same_space(space, table_space(path), str(self.output))
            self.adopt_dtype(pq.read_schema(path), str(self.output))
            self.dropped.update(replaced_by(path))


def rows_in(path: Path) -> int:
    """The number of rows of a Parquet file."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise InputError(str(path), f"not a readable Parquet file ({error})", "remove it") from None


def replaced_by(segment: Path) -> list[int]:
    """Numbers of the rows that the rows of a segment take the place of."""
    try:
        return [int(number) for number in json.loads(pq.read_schema(segment).metadata[REPLACED])]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise InputError(
            str(segment), "it is not a segment of this version", f"remove {segment.parent.name} to begin anew"
        ) from None


def table_space(path: Path) -> str:
    """The space recorded in a Parquet file that this command wrote."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(str(path), f"not a readable Parquet file ({error})", "remove it") from None
    return recorded_space(schema, str(path))


def recorded_space(schema: pa.Schema, name: str) -> str:
    """The space in the metadata of a file that this command wrote.

    Raises:
        InputError: there is none.
    """
    metadata = schema.metadata or {}
    if SPACE not in metadata:
        raise InputError(
            name, "it has no embedding space", "it was not written by bind-embed; choose another -o"
        )
    return str(metadata[SPACE].decode("utf-8", "replace"))
