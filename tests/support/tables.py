"""Media files whose tables say other things than the file holds; made by hand, box by box."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of an MP4: its length, its kind, its content."""
    content = b"".join(parts)
    return struct.pack(">I", 8 + len(content)) + kind + content


def full(kind: bytes, *parts: bytes) -> bytes:
    """A box with a version and flags, all 0."""
    return box(kind, bytes(4), *parts)


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def movie(
    samples: int,
    size: int,
    scale: int = 25,
    chunks: int = 1,
    codec: bytes = b"mp4v",
    side: int = 16,
    stsz: bytes | None = None,
    data: bytes = bytes(1100),
    extra: Sequence[bytes] = (),
) -> bytes:
    """An MP4 of so many samples, all of one size, a tick long, in chunks that all lie at the same place.

    Args:
        scale: ticks a second.
        side: width and height that the header says.
        stsz: the content of the table of sizes, in place of the right one.
        extra: boxes behind the track.
    """
    head = box(b"ftyp", b"isom", numbers(512), b"isom")
    entry = box(codec, bytes(6), struct.pack(">H", 1), bytes(16), struct.pack(">HH", side, side), bytes(50))
    table = box(
        b"stbl",
        full(b"stsd", numbers(1), entry),
        full(b"stts", numbers(1, samples, 1)),
        full(b"stsc", numbers(1, 1, samples // chunks, 1)),
        full(b"stsz", numbers(size, samples) if stsz is None else stsz),
        full(b"stco", numbers(chunks), numbers(*[len(head) + 8] * chunks)),
    )
    media = box(
        b"mdia",
        full(b"mdhd", numbers(0, 0, scale, samples, 0)),
        full(b"hdlr", numbers(0), b"vide", bytes(13)),
        box(b"minf", full(b"vmhd", bytes(8)), table),
    )
    matrix = numbers(1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    track = box(
        b"trak",
        full(b"tkhd", numbers(0, 0, 1, 0, samples), bytes(16), matrix, numbers(side << 16, side << 16)),
        media,
    )
    times = full(b"mvhd", numbers(0, 0, scale, samples, 1 << 16), bytes(12), matrix, bytes(24), numbers(2))
    return head + box(b"mdat", data) + box(b"moov", times, track, *extra)
