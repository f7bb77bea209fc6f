"""PNG files made by hand, where Pillow writes none: interlaced, or with rows left out."""

from __future__ import annotations

import struct
import zlib

import numpy as np

_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png_file(pixels: np.ndarray, interlaced: bool = False, leave_out: int = 0, piece: int = 1000) -> bytes:
    """A PNG of grey or coloured pixels, uint8 or uint16.

    Args:
        piece: the packed data stand in chunks of so many bytes.
        leave_out: so many bytes are missing at the end of the packed data, which then end as they should.
    """
    height, width = pixels.shape[:2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[1 if pixels.ndim == 2 else pixels.shape[2]]
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    rows = b"".join(
        b"\0" + np.ascontiguousarray(row).astype(pixels.dtype.newbyteorder(">")).tobytes()
        for left, top, across, down in passes
        for row in pixels[top::down, left::across]
        if row.size
    )
    rows = rows[: len(rows) - leave_out]
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, colour, 0, 0, int(interlaced))
    packed = zlib.compress(rows)
    chunks = [(b"IDAT", packed[at : at + piece]) for at in range(0, len(packed), piece)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), *chunks, (b"IEND", b""))
    )
