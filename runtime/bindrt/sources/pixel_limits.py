"""How many pixels an item may have."""

from __future__ import annotations

from bindrt.errors import LimitError
from bindrt.limits import Limits


def check_pixels(width: int, height: int, name: str, limits: Limits) -> None:
    """Raises LimitError for more pixels than ``limits.max_pixels``. Width and height are in pixels."""
    if width * height > limits.max_pixels:
        raise LimitError(
            name,
            f"{width} x {height} pixels are more than the limit of {limits.max_pixels}",
            "raise Limits.max_pixels if this is expected",
        )


#: About how many bytes a decoder holds for each pixel at its peak, where that is more than eight
#: (``bench/picture_memory.py`` measures it).
_HELD = {"WEBP": 16, "AVIF": 16, "HEIF": 16, "JXL": 32}


def check_memory(fmt: str, width: int, height: int, name: str, limits: Limits) -> None:
    """Raises LimitError if a decoder would hold more than ``limits.max_picture_bytes`` for a picture."""
    held = width * height * _HELD.get(fmt, 8)
    if held > limits.max_picture_bytes:
        raise LimitError(
            name,
            f"decoding {width} x {height} pixels of this format takes about {held >> 20} MiB, the limit is "
            f"{limits.max_picture_bytes >> 20}",
            "raise Limits.max_picture_bytes if this is expected",
        )
