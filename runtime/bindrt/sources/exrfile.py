"""Depth maps and thermal frames in OpenEXR files; the extra ``formats`` reads them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.opening import Opened, decoding
from bindrt.sources.optional import optional
from bindrt.sources.pixel_limits import check_pixels

_COLOURS = frozenset("RGB")
_TYPES = {"HALF": np.float16, "FLOAT": np.float32, "UINT": np.uint32}


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
    with opened.binary() as stream, decoding(opened.name, "EXR image", "is it complete?"):
        file = library.InputFile(stream)
        header: dict[str, Any] = file.header()
        window = header["dataWindow"]
        width, height = window.max.x - window.min.x + 1, window.max.y - window.min.y + 1
        check_pixels(width, height, opened.name, limits)
        names = _channels(list(header["channels"]), wanted, opened.name)
        maps = [_read(file, name, header["channels"][name], (height, width)) for name in names]
    if any(not np.array_equal(maps[0], other, equal_nan=True) for other in maps[1:]):
        raise SourceError(
            opened.name, "the EXR image has colours", "one channel of numbers is needed, not false colours"
        )
    return maps[0]


def _read(file: Any, name: str, channel: Any, shape: tuple[int, int]) -> Array:
    kind = str(channel.type).rpartition(".")[2]
    return np.frombuffer(file.channel(name), _TYPES[kind]).reshape(shape)


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
