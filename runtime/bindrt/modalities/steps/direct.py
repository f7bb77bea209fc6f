"""Files that are decoded straight to the vision encoder's input, without an image in memory."""

from __future__ import annotations

from bindrt.arrays import Array
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.output_rows import Reserve, row_for
from bindrt.sources.opening import Opened, decoding

#: The largest file that is read whole; Pillow reads larger ones piece by piece.
MOST_BYTES: int = c.PICTURE["most_bytes"]


def whole(opened: Opened, what: str) -> bytes | None:
    """All bytes of a file; None if it is large, is not read whole, or grows.

    Raises:
        SourceError: it cannot be read.
    """
    if opened.size > MOST_BYTES:
        return None
    with decoding(opened.name, what), opened.binary() as stream:
        data = stream.read(opened.size + 1)
    return data if isinstance(data, bytes) and len(data) == opened.size else None


def row(data: bytes, reserve: Reserve | None) -> Array | None:
    """Where a file's input goes while it is decoded; None: the kernel makes an array.

    A batch waits for who writes into it: not for a large file.
    """
    return row_for(reserve) if len(data) <= c.PICTURE["most_in_place"] else None
