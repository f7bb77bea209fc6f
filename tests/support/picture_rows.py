"""A table whose rows name pictures beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa

from support.embedding import PHOTO


def rows_with_pictures(folder: Path, count: int) -> pa.Table:
    """Rows with a ``number``, a ``photo`` in ``folder`` and a ``caption``.

    The photo of row 3 is missing, and row 4 has no caption.
    """
    shutil.copy(PHOTO, folder / "photo.webp")
    photos = ["photo.webp" if n != 3 else "none.webp" for n in range(count)]
    captions = [f"a bell {n}" if n != 4 else None for n in range(count)]
    return pa.table({"number": range(count), "photo": photos, "caption": captions})
