"""Radiometric JPEG files, made to FLIR's layout."""

from __future__ import annotations

import io
import struct

import numpy as np
import PIL.Image

from support.media import picture_bytes

#: Planck's constants of a camera, as its data sheet has them: R1, R2, B, F, O.
PLANCK = (16528.178, 0.012258549, 1427.5, 1.0, -1307.0)


def counts_of(celsius: np.ndarray) -> np.ndarray:
    """The sensor's counts of a black body of these temperatures, uint16."""
    r1, r2, b, f, o = PLANCK
    return np.rint(r1 / (r2 * (np.exp(b / (celsius + 273.15)) - f)) - o).astype(np.uint16)


def celsius_of(counts: np.ndarray) -> np.ndarray:
    """The temperatures of these counts of a black body."""
    r1, r2, b, f, o = PLANCK
    return b / np.log(r1 / (r2 * (counts.astype(np.float64) + o)) + f) - 273.15


def camera_record(order: str, **numbers: float) -> bytes:
    """The record of the camera; ``numbers`` by what FLIR calls them."""
    r1, r2, b, f, o = PLANCK
    places = {
        "emissivity": 0x20,
        "distance": 0x24,
        "reflected": 0x28,
        "air": 0x2C,
        "window": 0x30,
        "window_transmission": 0x34,
        "humidity": 0x3C,
        "alpha1": 0x70,
        "alpha2": 0x74,
        "beta1": 0x78,
        "beta2": 0x7C,
        "x": 0x80,
    }
    record = bytearray(0x400)
    struct.pack_into(order + "H", record, 0, 2)
    for at, value in ((0x58, r1), (0x5C, b), (0x60, f), (0x30C, r2)):
        struct.pack_into(order + "f", record, at, value)
    struct.pack_into(order + "i", record, 0x308, int(o))
    for name, value in numbers.items():
        struct.pack_into(order + "f", record, places[name], value)
    return bytes(record)


def raw_record(counts: np.ndarray, order: str, png: str = "") -> bytes:
    """The record of the raw image: plain, or a PNG whose bytes stand the ``right`` or the ``wrong`` way."""
    height, width = counts.shape
    head = struct.pack(order + "HHH", 2, width, height) + bytes(26)
    if not png:
        return head + counts.astype(order + "u2").tobytes()
    out = io.BytesIO()
    PIL.Image.fromarray(counts.byteswap() if png == "wrong" else counts).save(out, "PNG")
    return head + out.getvalue()


def radiometric_jpeg(records: dict[int, bytes], order: str = ">", piece: int = 30_000) -> bytes:
    """A JPEG with these records in segments of at most ``piece`` bytes."""
    start = 64 + 32 * len(records)
    entries, body = b"", b""
    for kind, record in records.items():
        at = start + len(body)
        entries += struct.pack(order + "HHIIIIIII", kind, 1, 100, 1, at, len(record), 0, 0, 0)
        body += record
    head = struct.pack("4s16s", b"FFF", b"MTX IR") + struct.pack(order + "III", 100, 64, len(records))
    whole = head.ljust(64, b"\0") + entries + body
    pieces = [whole[at : at + piece] for at in range(0, len(whole), piece)]
    segments = b""
    for number, part in enumerate(pieces):
        content = b"FLIR\0\1" + bytes((number, len(pieces) - 1)) + part
        segments += b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content
    visible = picture_bytes("JPEG")
    return visible[:2] + segments + visible[2:]


def radiometric(celsius: np.ndarray, png: str = "", order: str = ">") -> bytes:
    """A JPEG of black bodies of these temperatures."""
    return radiometric_jpeg(
        {0x20: camera_record(order), 1: raw_record(counts_of(celsius), order, png)}, order
    )
