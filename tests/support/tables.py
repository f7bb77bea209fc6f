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
    handler: bytes = b"vide",
    per_chunk: int | None = None,
    step: int = 1,
) -> bytes:
    """An MP4 of so many samples of one size, ``step`` ticks long, in chunks that all lie at one place.

    Args:
        scale: ticks a second.
        side: width and height that the header says.
        stsz: the content of the table of sizes, in place of the right one.
        extra: boxes behind the track.
        handler: what the track says it is.
        per_chunk: samples that a chunk claims, in place of the right number.
    """
    head = box(b"ftyp", b"isom", numbers(512), b"isom")
    entry = box(codec, bytes(6), struct.pack(">H", 1), bytes(16), struct.pack(">HH", side, side), bytes(50))
    table = box(
        b"stbl",
        full(b"stsd", numbers(1), entry),
        full(b"stts", numbers(1, samples, step)),
        full(b"stsc", numbers(1, 1, samples // chunks if per_chunk is None else per_chunk, 1)),
        full(b"stsz", numbers(size, samples) if stsz is None else stsz),
        full(b"stco", numbers(chunks), numbers(*[len(head) + 8] * chunks)),
    )
    media = box(
        b"mdia",
        full(b"mdhd", numbers(0, 0, scale, samples, 0)),
        full(b"hdlr", numbers(0), handler, bytes(13)),
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


def element(number: str, content: bytes) -> bytes:
    """An element of a Matroska file: its number in hexadecimal, its length, its content."""
    return bytes.fromhex(number) + struct.pack(">Q", len(content) | 1 << 56) + content


def _unsigned(number: str, value: int) -> bytes:
    return element(number, struct.pack(">Q", value))


def matroska(
    blocks: int,
    laced: int = 1,
    size: int = 1,
    codec: bytes = b"V_MPEG4/ISO/ASP",
    side: int = 16,
    tick: int = 0,
) -> bytes:
    """A Matroska file of so many blocks, each of ``laced`` packets of one size.

    Args:
        tick: nanoseconds a frame, if the header is to say them.
    """
    head = element("1a45dfa3", element("4282", b"matroska") + _unsigned("4287", 4) + _unsigned("4285", 2))
    video = element("e0", _unsigned("b0", side) + _unsigned("ba", side))
    track = _unsigned("d7", 1) + _unsigned("73c5", 1) + _unsigned("83", 1) + element("86", codec) + video
    if tick:
        track += _unsigned("23e383", tick)
    lacing = b"\x84" + bytes([laced - 1]) if laced > 1 else b"\x80"
    block = element("a3", b"\x81" + bytes(2) + lacing + bytes(size * laced))
    info = element("1549a966", _unsigned("2ad7b1", 1_000_000))
    tracks = element("1654ae6b", element("ae", track))
    cluster = element("1f43b675", _unsigned("e7", 0) + block * blocks)
    return head + element("18538067", info + tracks + cluster)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a RIFF file."""
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def avi(
    entries: int,
    size: int = 2,
    codec: bytes = b"FMP4",
    side: int = 16,
    rate: int = 25,
    supers: int = 0,
    data: int = 1,
) -> bytes:
    """An AVI whose index has so many entries, all for the same place.

    Args:
        rate: frames a second.
        supers: entries of the index of indices, all for one index, in place of the plain index. Each entry of
            that index has a place of its own.
        data: packets that are there.
    """
    movi_packet = chunk(b"00dc", bytes(size))
    header = struct.pack("<14I", 40_000, 0, 0, 0x10, entries, 0, 1, 0, side, side, 0, 0, 0, 0)
    stream = b"vids" + codec + struct.pack("<10I", 0, 0, 0, 1, rate, 0, entries, 0, 0, 0) + bytes(8)
    picture = struct.pack("<IiiHH4sIiiII", 40, side, side, 1, 24, codec, side * side * 3, 0, 0, 0, 0)
    fixed = 12 + 8 + 4 + 64 + 8 + 4 + 64 + 48  # up to what follows the stream's format
    above = b""
    if supers:
        at = fixed + 8 + 24 + 16 * supers + 8 + 4 + len(movi_packet) * data
        above = chunk(
            b"indx",
            struct.pack("<HBBI4sIII", 4, 0, 0, supers, b"00dc", 0, 0, 0)
            + struct.pack("<QII", at, 32 + 8 * entries, entries) * supers,
        )
    lines = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", picture) + above)
    headers = chunk(b"LIST", b"hdrl" + chunk(b"avih", header) + lines)
    index = chunk(b"idx1", struct.pack("<4sIII", b"00dc", 0x10, 4, size) * entries)
    if supers:
        place = 12 + len(headers) + 12
        index = chunk(
            b"ix00",
            struct.pack("<HBBI4sQI", 2, 0, 1, entries, b"00dc", place, 0)
            + b"".join(struct.pack("<II", 2 * at, size) for at in range(entries)),
        )
    movi = b"movi" + movi_packet * data
    body = b"AVI " + headers
    body += chunk(b"LIST", movi + index) if supers else chunk(b"LIST", movi) + index
    return chunk(b"RIFF", body)
