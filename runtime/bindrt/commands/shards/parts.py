"""The files of a job: one for each block, each whole or not there.

``part-NUMBER-KEY.parquet`` is written under another name and then moved. Whoever writes it again, since a
worker was killed or was slow, puts the same rows in the same place: no row is lost, and none is there twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.bundle.space import require_same_space
from bindrt.commands.lance_files import SUFFIX as LANCE
from bindrt.commands.segments import recorded_space
from bindrt.commands.shards.blocks import NumberedBlock
from bindrt.commands.shards.folders import Folder, RemoteOutput
from bindrt.errors import Error, InputError, OptionError

#: Parts that are asked for their rows at once.
_AT_ONCE = 16
#: In the metadata of a part of a table: which table, and the number of the part's first row in it.
PLACE, FIRST_ROW = b"bindrt.table", b"bindrt.first_row"


def is_folder(output: Path | RemoteOutput) -> bool:
    """Whether an output is a folder of parts rather than one file."""
    if isinstance(output, RemoteOutput):
        return not output.suffix
    return output.suffix != LANCE and (not output.suffix or output.is_dir())


def shards_folder(output: Path) -> Path:
    """Where the parts of an output are."""
    return output if is_folder(output) else output.with_name(output.name + ".shards")


def part_name(block: NumberedBlock) -> str:
    return f"part-{block.number:08d}-{block.key}.parquet"


_NAME = re.compile(r"part-(\d{8})-([0-9a-f]{12})\.parquet")


class Parts:
    """The parts in a folder.

    Attributes:
        folder: where they are.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self._done = dict(self._found())

    def __len__(self) -> int:
        return len(self._done)

    def require_new(self) -> None:
        """Raises OptionError if an earlier run has left parts."""
        if self._done:
            raise OptionError(str(self.folder), "an earlier run is there", "add --resume to go on with it")

    def require_space(self, space: str) -> None:
        """Raises SpaceError if the parts have vectors of another space."""
        for name in self.names()[:1]:
            with self.opened(name) as file:
                there = recorded_space(file.schema_arrow, f"{self.folder}/{name}")
            require_same_space(space, there, str(self.folder))

    def has(self, block: NumberedBlock) -> bool:
        """Whether a block has its part.

        Raises:
            OptionError: there is one of other inputs or options.
        """
        found = self._done.get(block.number)
        if found not in (None, block.key):
            raise OptionError(
                str(self.folder),
                "its parts are of other inputs or options",
                "give the same ones, or choose another -o",
            )
        return found is not None

    def require_no_more(self, blocks: int) -> None:
        """Raises OptionError if there are parts of more blocks than the job has."""
        if any(number >= blocks for number in self._done):
            raise OptionError(
                str(self.folder), "its parts are of more inputs", "give the same ones, or choose another -o"
            )

    def names(self) -> list[str]:
        """All parts, in the order of their rows."""
        return [name for name in self.folder.names() if _NAME.fullmatch(name)]

    @contextmanager
    def opened(self, name: str) -> Iterator[pq.ParquetFile]:
        """One part.

        Raises:
            InputError: it is damaged.
        """
        try:
            with self.folder.opened(name) as file, pq.ParquetFile(file) as part:
                yield part
        except (pa.ArrowException, OSError) as error:
            place = f"{self.folder}/{name}"
            raise InputError(place, f"not a readable Parquet file ({error})", "remove it") from None

    def rows(self) -> int:
        with ThreadPoolExecutor(_AT_ONCE, "bindrt-parts") as threads:  # a store takes its time for each
            return sum(threads.map(self._rows_of, self.names()))

    def _rows_of(self, name: str) -> int:
        with self.opened(name) as part:
            return int(part.metadata.num_rows)

    def tables(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows of all parts, with the columns of ``schema``; those that a part lacks are null."""
        for name in self.names():
            with self.opened(name) as part:
                for batch in part.iter_batches():
                    yield _as(pa.Table.from_batches([batch]), schema)

    def schema(self) -> pa.Schema:
        """Columns for the rows of all parts.

        Raises:
            Error: a column has types that do not go together.
        """
        found: list[pa.Schema] = []
        for name in self.names():
            with self.opened(name) as part:
                found.append(part.schema_arrow)
        try:
            return pa.unify_schemas(found, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            problem = f"a column has another type in another table ({error})"
            raise Error(str(self.folder), problem, "give -o a folder, or the tables one by one") from None

    def _found(self) -> Iterator[tuple[int, str]]:
        for name in self.names():
            if (match := _NAME.fullmatch(name)) is not None:
                yield int(match[1]), match[2]


@contextmanager
def new_part(
    folder: Folder, name: str, schema: pa.Schema | None = None
) -> Iterator[Callable[[pa.Table], None]]:
    """Gives what writes a table to a part, which is there once the block has ended well, and else is not.

    Args:
        schema: of its tables; None: that of the first one.
    """
    writers: list[pq.ParquetWriter] = []
    with folder.writing(name) as file:

        def write(table: pa.Table) -> None:
            if not writers:
                writers.append(pq.ParquetWriter(file, table.schema))
            writers[0].write_table(table)

        if schema is not None:
            writers.append(pq.ParquetWriter(file, schema))
        yield write
        if not writers:
            writers.append(pq.ParquetWriter(file, pa.schema([])))
        writers[0].close()


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table with the columns of ``schema``; those that it lacks are null."""
    there = set(table.column_names)
    columns = [
        table[f.name].cast(f.type) if f.name in there else pa.nulls(len(table), f.type) for f in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)
