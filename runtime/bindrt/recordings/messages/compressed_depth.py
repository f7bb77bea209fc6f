"""Depth maps as ``compressed_depth_image_transport`` packs them."""

from __future__ import annotations

import struct

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.limits import Limits
from bindrt.modalities.steps.maps import load_map
from bindrt.sources.pixel_limits import check_pixels

_HEADER = struct.Struct("<iff")  # kind, and the two numbers of inverse depth
_SIZE = struct.Struct("<ii")  # of RVL: width, height
_PNG = b"\x89PNG"


def depth_of(data: bytes, form: str, limits: Limits) -> Array:
    """The map of a message of CompressedImage: counts of millimetres, or metres with NaN where there is none.

    Args:
        data: a header of 12 bytes, then a PNG or RVL.
        form: the message's format, such as ``16UC1; compressedDepth png``.

    Raises:
        InputError: the data are not what the format says.
    """
    if len(data) <= _HEADER.size:
        raise InputError("", f"{len(data)} bytes are no compressed depth map", "the message was cut")
    _, a, b = _HEADER.unpack_from(data)
    packed = data[_HEADER.size :]
    if packed.startswith(_PNG):
        counts = load_map(packed, "depth", limits).values
    elif "rvl" in form.lower():
        counts = _rvl(packed, limits)
    else:
        raise InputError("", "it is neither PNG nor RVL", f"its format is {form[:60]!r}")
    if not form.startswith("32FC1"):
        return counts
    with np.errstate(divide="ignore", invalid="ignore"):
        metres = np.where(counts > 0, a / (counts.astype(np.float32) - b), np.nan)
    return np.asarray(metres, np.float32)


def _rvl(data: bytes, limits: Limits) -> Array:
    """Counts ``[H, W]`` of RVL: runs of zeros, then of differences to the pixel before.

    All numbers have 3 bits in each nibble, the lowest first; the fourth bit says that more follow.
    """
    if len(data) < _SIZE.size:
        raise InputError("", "it ends within its size", "the message was cut")
    width, height = _SIZE.unpack_from(data)
    if width < 1 or height < 1:
        raise InputError("", f"it says {width} x {height} pixels", "it has at least one")
    check_pixels(width, height, "", limits)
    numbers = _numbers(data[_SIZE.size :])
    differences = np.zeros(width * height, np.int64)
    is_there = np.zeros(width * height, bool)
    pixel = at = 0
    while pixel < width * height:
        if at + 1 >= len(numbers):
            raise InputError("", f"it ends at pixel {pixel} of {width * height}", "the message was cut")
        pixel += int(numbers[at])
        count = int(numbers[at + 1])
        at += 2
        run = numbers[at : at + count]
        if pixel + count > width * height or len(run) < count:
            raise InputError("", "it has more pixels than it says", "the message is damaged")
        differences[pixel : pixel + count] = (run >> 1) ^ -(run & 1)
        is_there[pixel : pixel + count] = True
        pixel += count
        at += count
    counts = np.where(is_there, np.cumsum(differences), 0)
    return counts.astype(np.uint16).reshape(height, width)


def _numbers(data: bytes) -> Array:
    """All numbers of the nibbles, which stand in words of 32 bits, the first in the highest bits."""
    words = np.frombuffer(data[: len(data) // 4 * 4], "<u4")
    nibbles = (words[:, None] >> np.arange(28, -1, -4, dtype=np.uint32)).reshape(-1) & 15
    ends = np.flatnonzero(nibbles < 8)
    begins = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)
    if not len(ends):
        return np.zeros(0, np.int64)
    used = nibbles[: ends[-1] + 1].astype(np.int64)
    place = np.arange(len(used)) - np.repeat(begins, ends - begins + 1)
    values = (used & 7) << np.minimum(3 * place, 60)
    numbers: Array = np.add.reduceat(values, begins)
    return numbers
