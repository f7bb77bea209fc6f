"""Pictures and arrays that are small files and large work, or that say what they are not."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import PIL.Image

from support import flir
from support.media import picture_bytes
from support.png import png_file

Maker = Callable[[], bytes]


def repeated_scans(side: int, times: int) -> bytes:
    """A flat progressive JPEG with its last scan so many times."""
    data = picture_bytes("JPEG", np.full((side, side, 3), 90, np.uint8), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * times + data[-2:]


def flat(fmt: str, side: int, **options: object) -> bytes:
    """A picture of one colour."""
    return picture_bytes(fmt, np.full((side, side, 3), 7, np.uint8), **options)


def many_frames(count: int) -> bytes:
    """A GIF of so many frames of 8 x 8 pixels."""
    frame = picture_bytes("GIF", np.zeros((8, 8), np.uint8))
    start = frame.index(b"\x2c\0\0\0\0")
    return frame[:start] + frame[start:-1] * count + b";"


def large_canvas(side: int) -> bytes:
    """A GIF whose frame is small and whose canvas is not."""
    data = bytearray(picture_bytes("GIF", np.zeros((8, 8), np.uint8)))
    data[6:10] = struct.pack("<HH", side, side)
    return bytes(data)


def array_in_zip(shape: tuple[int, ...], dtype: str, compression: int) -> bytes:
    """A ``.npz`` with an array ``depth`` of zeros, written without making it."""
    out = io.BytesIO()
    head = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, header)
    left = int(np.prod(shape)) * np.dtype(dtype).itemsize
    with (
        zipfile.ZipFile(out, "w", compression) as archive,
        archive.open("depth.npy", "w", force_zip64=True) as file,
    ):
        file.write(head.getvalue())
        while left > 0:
            left -= file.write(bytes(min(left, 1 << 24)))
    return out.getvalue()


def lying_zip(field: int, value: int) -> bytes:
    """A zip64 ``.npz`` whose directory has another number in one of its fields."""
    data = bytearray(array_in_zip((40, 50), "<u2", zipfile.ZIP_DEFLATED))
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + field, value)
    return bytes(data)


def text_bomb() -> bytes:
    """A PNG with a text that unpacks to 500 MB."""
    data = png_file(np.zeros((9, 9, 3), np.uint8))
    text = b"Comment\0\0" + zlib.compress(bytes(500 << 20), 9)
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    return data[:33] + chunk + data[33:]


def many_comments(fmt: str, count: int) -> bytes:
    """A PNG or a JPEG with so many empty comments."""
    data = picture_bytes(fmt, np.zeros((8, 8, 3), np.uint8))
    at, comment = (33, bytes(4) + b"tEXt" + bytes(4)) if fmt == "PNG" else (2, b"\xff\xfe\0\2")
    return data[:at] + comment * count + data[at:]


def qoi(side: int) -> bytes:
    """A QOI with two bytes for each pixel."""
    return b"qoif" + struct.pack(">IIBB", side, side, 3, 0) + b"\0\1" * (side * side // 2) + bytes(7) + b"\1"


def masked_dds(side: int) -> bytes:
    """A DDS whose colours are masked out of numbers."""
    form = struct.pack("<8I", 32, 0x40, 0, 16, 0xF800, 0x7E0, 0x1F, 0) + bytes(20)
    head = b"DDS " + struct.pack("<7I", 124, 0x1007, side, side, 0, 0, 0) + bytes(44)
    return head + form + bytes(side * side * 2)


def runs_of_one(side: int) -> bytes:
    """A BMP in runs of one pixel."""
    data = b"BM" + struct.pack("<IHHI", 0, 0, 0, 1078)
    data += struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024)
    return data + b"\1\0" * side * side


def raw_flir(side: int) -> bytes:
    """A radiometric JPEG whose raw image is a large PNG of zeros."""
    out = io.BytesIO()
    PIL.Image.fromarray(np.zeros((side, side), np.uint16)).save(out, "PNG")
    record = struct.pack(">HHH", 2, side, side) + bytes(26) + out.getvalue()
    return flir.radiometric_jpeg({0x20: flir.camera_record(">"), 1: record})


#: What it is → the modality that it is read as, and its maker.
MAKERS: dict[str, tuple[str, Maker]] = {
    "1342 scans": ("image", lambda: repeated_scans(5500, 1342)),
    "as many scans as are allowed": ("image", lambda: repeated_scans(5500, 50)),
    "lossless WebP of 81 million pixels": ("image", lambda: flat("WEBP", 9000, lossless=True, method=0)),
    "the largest WebP that is allowed": ("image", lambda: flat("WEBP", 7200, lossless=True, method=0)),
    "the largest PNG that is allowed": ("image", lambda: flat("PNG", 9450)),
    "a PNG of 81 million pixels as thermal": ("thermal", lambda: flat("PNG", 9000)),
    "the largest AVIF that is allowed": ("image", lambda: flat("AVIF", 8200, speed=10)),
    "a JPEG XL of 81 million pixels": ("image", lambda: flat("JXL", 9000, effort=1)),
    "the largest JPEG XL that is allowed": ("image", lambda: flat("JXL", 7400, effort=1)),
    "a GIF of 100 000 frames": ("image", lambda: many_frames(100_000)),
    "a GIF of a large canvas": ("image", lambda: large_canvas(9400)),
    "a text in a PNG": ("image", text_bomb),
    "a PNG of 16 bits and four channels": (
        "depth",
        lambda: png_file(np.zeros((7000, 7000, 4), np.uint16), piece=1 << 20),
    ),
    "a plain PGM that ends early": ("depth", lambda: b"P2 9000 9000 65535\n" + b"7 " * 1000),
    "a raw PGM that ends early": ("depth", lambda: b"P5 9000 9000 65535\n" + bytes(1000)),
    "a radiometric JPEG of 64 million pixels": ("thermal", lambda: raw_flir(8000)),
    "a million chunks": ("image", lambda: many_comments("PNG", 1_000_000)),
    "as many chunks as are allowed": ("image", lambda: many_comments("PNG", 199_000)),
    "a million segments": ("image", lambda: many_comments("JPEG", 1_000_000)),
    "the largest QOI": ("image", lambda: qoi(9400)),
    "the largest DDS of masks": ("image", lambda: masked_dds(2100)),
    "a larger DDS of masks": ("image", lambda: masked_dds(9400)),
    "the largest BMP in runs": ("image", lambda: runs_of_one(2100)),
    "the largest JPEG 2000": ("image", lambda: flat("JPEG2000", 5700)),
    "an array of 3.9 GB in a zip": (
        "depth",
        lambda: array_in_zip((22_000, 22_000), "<f8", zipfile.ZIP_DEFLATED),
    ),
    "an array of 1 GB in bzip2": ("depth", lambda: array_in_zip((11_500, 11_500), "<f8", zipfile.ZIP_BZIP2)),
    "the largest array that is allowed": (
        "depth",
        lambda: array_in_zip((9000, 9000), "<f4", zipfile.ZIP_DEFLATED),
    ),
    **{
        f"a zip that lies at {field} with {value:x}": (
            "depth",
            lambda field=field, value=value: lying_zip(field, value),  # type: ignore[misc]
        )
        for field in (20, 24, 42)
        for value in (0, 1, 0xFFFFFFFE, 0xFFFFFFFF, 0x7FFFFFFF)
    },
}
