"""What tables of vectors say of themselves, and such tables without rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from bindrt.commands.rows import DTYPES
from bindrt.embeddings.files import NORMALIZED, SPACE
from bindrt.integrations.batches import with_numbers, with_vectors
from bindrt.integrations.columns import Embedded


def about_vectors(space: str) -> dict[bytes, bytes]:
    """What the metadata of a table with vectors says."""
    return {SPACE: space.encode(), NORMALIZED: b"true"}


def no_rows(columns: Mapping[str, str], dim: int, dtype: str) -> pa.Table:
    """A table with the columns of vectors and errors, and no row."""
    nothing = Embedded(np.empty((0, dim), np.float32), [])
    found = with_vectors(pa.table({}), dict.fromkeys(columns, nothing))
    return with_numbers(found, list(columns), DTYPES[dtype])
