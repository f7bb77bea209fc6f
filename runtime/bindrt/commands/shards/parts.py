"""The files of a job: one for each block, each whole or not there.

``part-NUMBER-KEY.parquet`` is written under another name and then moved. Whoever writes it again, since a
worker was killed or was slow, puts the same rows in the same place: no row is lost, and none is there twice.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.bundle.space import require_same_space
from bindrt.commands.lance_files import SUFFIX as LANCE
from bindrt.commands.segments import rows_in, table_space
from bindrt.commands.shards.blocks import NumberedBlock
from bindrt.errors import OptionError

#: In the metadata of a part of a table: which table, and the number of the part's first row in it.
PLACE, FIRST_ROW = b"bindrt.table", b"bindrt.first_row"


def is_folder(output: Path) -> bool:
    """Whether an output is a folder of parts rather than one file."""
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

    def __init__(self, folder: Path) -> None:
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
        for path in self.paths()[:1]:
            require_same_space(space, table_space(path), str(self.folder))

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

    def paths(self) -> list[Path]:
        """All parts, in the order of their rows."""
        return sorted(path for path in self.folder.glob("part-*.parquet") if _NAME.fullmatch(path.name))

    def rows(self) -> int:
        return sum(map(rows_in, self.paths()))

    def clean(self) -> None:
        """Removes what killed workers have left, once every block has its part."""
        for left in self.folder.glob(".part-*.new"):
            left.unlink(missing_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def _found(self) -> Iterator[tuple[int, str]]:
        for path in self.paths():
            if (match := _NAME.fullmatch(path.name)) is not None:
                yield int(match[1]), match[2]


@contextmanager
def new_part(path: Path, schema: pa.Schema | None = None) -> Iterator[Callable[[pa.Table], None]]:
    """Gives what writes a table to a part, which is there once the block has ended well, and else is not.

    Args:
        schema: of its tables; None: that of the first one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:12]}.new")
    writers: list[pq.ParquetWriter] = []

    def write(table: pa.Table) -> None:
        if not writers:
            writers.append(pq.ParquetWriter(file, table.schema))
        writers[0].write_table(table)

    try:
        with open(beside, "wb") as file:
            if schema is not None:
                writers.append(pq.ParquetWriter(file, schema))
            yield write
            if not writers:
                writers.append(pq.ParquetWriter(file, pa.schema([])))
            writers[0].close()
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
