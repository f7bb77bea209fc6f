"""Depth maps and thermal frames in OpenEXR files; the extra ``formats`` reads their pixels.

The header is read here: of a damaged one the library makes a crash.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.opening import IF_CUT, Opened, decoding
from bindrt.sources.optional import optional
from bindrt.sources.pixel_limits import check_memory, check_pixels

_COLOURS = frozenset("RGB")
_TYPES = (np.uint32, np.float16, np.float32)  # by the number that the file has for each
_HEADER_BYTES = 1 << 20
_DEEP, _SEVERAL_PARTS = 0x800, 0x1000


@dataclass(frozen=True)
class ExrHeader:
    """What of a header is used here.

    Attributes:
        channels: the type of each channel, by name.
    """

    width: int
    height: int
    channels: dict[str, type[np.generic]]


def read_exr(opened: Opened, wanted: str, limits: Limits) -> Array:
    """The one channel of an EXR file that is a map: floats or uint32 ``[H, W]``.

    It is the file's only channel; or the one that is called ``Z`` or what is wanted, itself or its layer; or
    ``V`` or ``Y``; or the colours, if they are all the same.

    Args:
        wanted: ``depth`` or ``thermal``.

    Raises:
        Error: the library OpenEXR is not installed.
        SourceError: the file is damaged or truncated, or no channel or several can be meant.
        LimitError: it has more than ``limits.max_pixels``.
    """
    library = optional("OpenEXR", "OpenEXR", "EXR files")
    with opened.binary() as stream, decoding(opened.name, "EXR image", IF_CUT):
        header = read_header(stream.read(_HEADER_BYTES), opened.name)
        check_pixels(header.width, header.height, opened.name, limits)
        check_memory("EXR", header.width, header.height, opened.name, limits)
        names = _channels(list(header.channels), wanted, opened.name)
        stream.seek(0)
        file = library.InputFile(stream)
        shape = (header.height, header.width)
        maps = [np.frombuffer(file.channel(n), header.channels[n]).reshape(shape) for n in names]
    if any(not np.array_equal(maps[0], other, equal_nan=True) for other in maps[1:]):
        raise SourceError(
            opened.name, "the EXR image has colours", "one channel of numbers is needed, not false colours"
        )
    return maps[0]


def read_header(data: bytes, name: str) -> ExrHeader:
    """The header of a file with one part, from its first bytes.

    Raises:
        SourceError: it is damaged, or the file is of another kind.
    """
    flags = struct.unpack_from("<I", data, 4)[0] if len(data) >= 8 else 0
    if flags & (_DEEP | _SEVERAL_PARTS):
        raise SourceError(name, "the EXR file has several parts or deep pixels", "save one flat image")
    try:
        attributes = {key: (kind, value) for key, kind, value in _attributes(data)}
        left, top, right, bottom = struct.unpack("<iiii", attributes["dataWindow"][1])
        channels = dict(_channel_list(attributes["channels"][1]))
    except (ValueError, KeyError, IndexError, struct.error) as error:
        raise SourceError(name, "the header of the EXR image is damaged", IF_CUT) from error
    if not channels or right < left or bottom < top:
        raise SourceError(name, "the EXR image has no pixels")
    return ExrHeader(right - left + 1, bottom - top + 1, channels)


def _attributes(data: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Name, type and value of each attribute of the header."""
    at = 8
    while data[at] != 0:
        name, at = _text(data, at)
        kind, at = _text(data, at)
        size = struct.unpack_from("<i", data, at)[0]
        value = data[at + 4 : at + 4 + size]
        if size < 0 or len(value) != size:
            raise ValueError("an attribute ends behind the header")
        if kind == "string":
            value.decode("utf-8")
        yield name, kind, value
        at += 4 + size


def _channel_list(value: bytes) -> Iterator[tuple[str, type[np.generic]]]:
    at = 0
    while value[at] != 0:
        name, at = _text(value, at)
        kind, across, down = struct.unpack_from("<i4xii", value, at)
        if across != 1 or down != 1 or kind < 0:
            raise ValueError("a channel of fewer pixels")
        yield name, _TYPES[kind]
        at += 16


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A text that ends with a zero, and where the next thing begins."""
    end = data.index(b"\0", at, at + 256)
    return data[at:end].decode("ascii"), end + 1


def _channels(names: list[str], wanted: str, name: str) -> list[str]:
    """The names of the channels that hold the map; several only for colours that may be equal."""
    if len(names) == 1:
        return names
    plain = [n for n in names if _says(n, wanted)] or [n for n in names if _last(n) in ("v", "y")]
    if len(plain) == 1:
        return plain
    if set(names) >= _COLOURS:
        return ["R", "G", "B"]
    raise SourceError(
        name,
        f"the EXR image has the channels {', '.join(sorted(names)[:8])}, none of them plainly {wanted}",
        f"save one channel, or name it {'Z' if wanted == 'depth' else wanted}",
    )


def _says(name: str, wanted: str) -> bool:
    """Whether a channel's name, with those of its layers before, says that it holds what is wanted."""
    return wanted in name.lower().split(".") or (wanted == "depth" and _last(name) == "z")


def _last(name: str) -> str:
    return name.rpartition(".")[2].lower()
