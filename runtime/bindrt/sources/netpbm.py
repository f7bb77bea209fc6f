"""Netpbm pictures and float maps: PBM, PGM, PPM (plain and raw) and PFM, with the counts that they hold.

Pillow scales the counts of a PGM to 255 or 65535 by its largest value; a depth map needs them as they are.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import PIL.Image

from bindrt.arrays import Array
from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.opening import IF_CUT, Opened
from bindrt.sources.pixel_limits import check_memory, check_pixels

_GAP = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(
    rb"P([1-6fF])" + _GAP + rb"(\d{1,10})" + _GAP + rb"(\d{1,10})(?:" + _GAP + rb"([-+.\deE]{1,20}))?"
)
_COMMENT = re.compile(rb"#[^\r\n]*")
_PLAIN = b"0123456789 \t\r\n\v\f"


@dataclass(frozen=True)
class Counts:
    """What a file holds.

    Attributes:
        values: ``[H, W]`` or ``[H, W, 3]``: uint8, uint16 or float32; the first row is the top one.
        most: the value of white, as the header has it; 1.0 for PFM.
    """

    values: Array
    most: float


def read_counts(opened: Opened, limits: Limits) -> Counts:
    """The counts of a PBM (0 for black, 1 for white), PGM, PPM or PFM file.

    Raises:
        SourceError: the file is damaged or truncated.
        LimitError: it has more than ``limits.max_pixels``.
    """
    found = _HEADER.match(opened.head)
    if found is None:
        raise SourceError(opened.name, "the header of the Netpbm image is damaged")
    kind, width, height = found[1], int(found[2]), int(found[3])
    if width == 0 or height == 0:
        raise SourceError(opened.name, f"the image has {width} x {height} pixels")
    check_pixels(width, height, opened.name, limits)
    check_memory("plain PNM" if kind in (b"1", b"2", b"3") else "PNM", width, height, opened.name, limits)
    most = 1.0 if kind in (b"1", b"4") else _number(found[4] or b"", kind, opened.name)
    start = found.end(3 if kind in (b"1", b"4") else 4)
    shape = (height, width, 3) if kind in (b"3", b"6", b"F") else (height, width)
    with opened.binary() as stream:
        stream.seek(start)
        if kind in (b"1", b"2", b"3"):
            text = stream.read(min(opened.size, 24 * math.prod(shape) + (1 << 20)))
            values = _plain(text, shape, kind == b"1", most, opened.name)
        else:
            stream.seek(start + 1)  # one character ends the header
            values = _raw(stream.read(_raw_size(kind, shape, most)), kind, shape, most, opened.name)
    if kind in (b"f", b"F"):
        return Counts(values[::-1], 1.0)
    return Counts(values, most)


def as_picture(counts: Counts) -> PIL.Image.Image:
    """The picture as Pillow makes it from a PBM, PGM or PPM: colours or grey of 8 bits, or 32-bit counts."""
    values, most = counts.values, counts.most
    wide = most > 255 and values.ndim == 2
    white = 65535 if wide else 255
    if most != white:
        values = np.minimum(np.rint(np.arange(65536) / most * white), white)[values]
    return PIL.Image.fromarray(values.astype(np.int32 if wide else np.uint8, copy=False))


def _number(text: bytes, kind: bytes, name: str) -> float:
    """The largest value of a PGM or PPM; of a PFM the scale, whose sign is the order of the bytes."""
    try:
        value = float(text) if kind in (b"f", b"F") else int(text)
    except ValueError:
        value = 0
    good = math.isfinite(value) and value != 0 if kind in (b"f", b"F") else 0 < value < 65536
    if not good:
        raise SourceError(name, f"the header of the Netpbm image says {text.decode('latin-1')!r}")
    return value


def _raw_size(kind: bytes, shape: tuple[int, ...], most: float) -> int:
    if kind == b"4":
        return shape[0] * -(-shape[1] // 8)
    return math.prod(shape) * (4 if kind in (b"f", b"F") else 1 if most < 256 else 2)


def _raw(data: bytes, kind: bytes, shape: tuple[int, ...], most: float, name: str) -> Array:
    wanted = _raw_size(kind, shape, most)
    if len(data) < wanted:
        raise SourceError(name, f"truncated: {len(data)} of {wanted} bytes of pixels", IF_CUT)
    if kind == b"4":
        bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(shape[0], -1), axis=1)
        return 1 - bits[:, : shape[1]]
    if kind in (b"f", b"F"):
        return np.frombuffer(data, "<f4" if most < 0 else ">f4").reshape(shape).astype(np.float32)
    values = np.frombuffer(data, np.uint8 if most < 256 else ">u2").reshape(shape)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _plain(text: bytes, shape: tuple[int, ...], bits: bool, most: float, name: str) -> Array:
    text = _COMMENT.sub(b" ", text)
    if text.translate(None, _PLAIN):
        raise SourceError(name, "the plain Netpbm image holds something that is not a number")
    if bits:  # no space is needed between them
        values = np.frombuffer(text.translate(None, b" \t\r\n\v\f"), np.uint8) - 48
    else:
        values = np.fromstring(text.decode("ascii"), np.int64, sep=" ")
    wanted = math.prod(shape)
    if len(values) < wanted:
        raise SourceError(name, f"truncated: {len(values)} of {wanted} numbers", IF_CUT)
    values = values[:wanted]
    if values.max() > most:
        raise SourceError(name, f"a value of {values.max()} is above the largest, {most:g}")
    counts = 1 - values if bits else values
    return counts.astype(np.uint8 if most < 256 else np.uint16).reshape(shape)
