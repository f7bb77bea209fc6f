"""Blocks: what one worker takes of the inputs at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa


class Block:
    """Some inputs. It can be pickled.

    Attributes:
        count: how many inputs it has; where that is not known, 1.
    """

    count: int

    @property
    def name(self) -> str:
        """What it reads, as a text by which a later run knows it."""
        raise NotImplementedError


class RowsBlock(Block):
    """Rows of a table, of which some columns are embedded.

    Attributes:
        place: where the table is.
        row: the number of its first row in the table.
        root: the folder that relative paths in it begin at.
        is_sparse: a column that some of its rows lack may be missing in :meth:`tables`.
    """

    place: str
    row: int
    root: str
    is_sparse = False

    def tables(self, rows: int) -> Iterator[pa.Table]:
        """Its rows, at most ``rows`` at a time.

        Raises:
            SourceError: they cannot be read.
        """
        raise NotImplementedError
