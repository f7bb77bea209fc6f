"""Where the rows of a job in parts go in the end: they stay parts, or become one file, and what for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.commands.lance_files import SUFFIX as LANCE
from bindrt.commands.lance_files import write_lance
from bindrt.commands.rows import schema
from bindrt.commands.shards.folders import Folder, RemoteOutput, StoreFolder, folder_at
from bindrt.commands.shards.parts import FIRST_ROW, PLACE, Parts, is_folder, shards_folder
from bindrt.commands.shards.vectors import about_vectors, no_rows
from bindrt.commands.storing import rows_beside
from bindrt.errors import OptionError
from bindrt.locks import only_writer
from bindrt.stores import StorePlace


@dataclass(frozen=True)
class MadeBy:
    """The model that makes the rows: its space, the length of its vectors, its bundle."""

    space: str
    dim: int
    bundle: Path

    def schema(self, columns: Mapping[str, str], dtype: str) -> pa.Schema:
        """The columns where there are no rows; those of tables are not known then."""
        if not columns:
            return schema(self.dim, self.space, dtype)
        return no_rows(columns, self.dim, dtype).schema.with_metadata(about_vectors(self.space))


@dataclass(frozen=True)
class Target:
    """Where rows go.

    Attributes:
        folder: where their parts are.
        file: the name of the one file that is made of them, in ``beside``; None: none is.
        beside: the folder of that file.
        locked: what only one process writes; None: nobody can tell who writes to a store.
        keeps_parts: the parts are the output.
    """

    folder: Folder
    file: str | None
    beside: Folder
    locked: Path | None
    keeps_parts: bool

    def require_new(self) -> None:
        """Raises OptionError if the file is there."""
        if self.file is not None and self.beside.exists(self.file):
            raise OptionError(f"{self.beside}/{self.file}", "it exists", "choose another -o")

    @contextmanager
    def only_writer(self) -> Iterator[None]:
        """Holds the lock of the output."""
        if self.locked is None:
            yield
        else:
            with only_writer(self.locked, "bind-embed", "-o"):
                yield

    def merge(self, parts: Parts, empty: pa.Schema) -> None:
        """One file of all parts, whose rows come in their order.

        Args:
            empty: the columns where there is no part.
        """
        assert self.file is not None
        found = parts.schema() if parts.names() else empty
        kept = {name: of for name, of in (found.metadata or {}).items() if name not in (PLACE, FIRST_ROW)}
        found = found.with_metadata(kept)
        if self.file.endswith(LANCE):
            write_lance(Path(f"{self.beside}/{self.file}"), found, parts.tables(found))
            return
        self.beside.clean(f"{self.file}-")
        with self.beside.writing(self.file) as file, pq.ParquetWriter(file, found) as writer:
            for table in parts.tables(found):
                writer.write_table(table)


def target_of(output: Path | RemoteOutput | None, index: Path | StorePlace | None) -> Target:
    """Where the rows of a command line go; without ``-o`` until an index or a store has them.

    Raises:
        OptionError: nothing can be written there.
    """
    if isinstance(output, RemoteOutput):
        return _remote(output)
    if output is None:
        assert index is not None
        place = rows_beside(index) if isinstance(index, StorePlace) else index
        place = Path(os.path.realpath(place))
        parts = folder_at(str(place.with_name(place.name + ".shards")))
        return Target(parts, None, parts, place, keeps_parts=False)
    place = Path(os.path.realpath(output))
    parts, beside = folder_at(str(shards_folder(place))), folder_at(str(place.parent))
    if is_folder(place):
        return Target(parts, None, beside, place, keeps_parts=True)
    return Target(parts, place.name, beside, place, keeps_parts=False)


def _remote(output: RemoteOutput) -> Target:
    url = output.url.rstrip("/")
    above, _, name = url.rpartition("/")
    if is_folder(output):
        parts = StoreFolder(url)
        parts.require_writable()
        return Target(parts, None, parts, None, keeps_parts=True)
    parts = StoreFolder(f"{url}.shards")
    parts.require_writable()
    return Target(parts, name, StoreFolder(above), None, keeps_parts=False)
