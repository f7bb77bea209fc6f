"""How many pixels an item may have."""

from __future__ import annotations

from typing import Any

from bindrt import _core
from bindrt.errors import LimitError, SourceError
from bindrt.limits import Limits


def check_pixels(width: int, height: int, name: str, limits: Limits) -> None:
    """Raises LimitError for more pixels than ``limits.max_pixels``. Width and height are in pixels."""
    if width * height > limits.max_pixels:
        raise LimitError(
            name,
            f"{width} x {height} pixels are more than the limit of {limits.max_pixels}",
            "raise Limits.max_pixels if this is expected",
        )


#: About how many bytes are held for each pixel at the peak of decoding, by what decodes
#: (``python -m bench.picture_memory`` measures it).
_HELD = {
    "WEBP": 17,
    "AVIF": 13,
    "HEIF": 13.5,
    "JXL": 16,
    "JPEG2000": _core.item_numbers()["picture"]["held_jpeg2000"],
    "16 bits": 24,
    "EXR": 16,
    "plain PNM": 64,
    "FLIR": 64,
}
_OTHERS: float = _core.item_numbers()["picture"]["held_bytes"]  # JPEG and PNG among them


def check_memory(decoder: str, width: int, height: int, name: str, limits: Limits) -> None:
    """Raises LimitError if a decoder would hold more than ``limits.max_picture_bytes`` for a picture.

    Args:
        decoder: the reader's name of the format, or a key of the table above.
    """
    held = int(width * height * _HELD.get(decoder, _OTHERS))
    if held > limits.max_picture_bytes:
        raise LimitError(
            name,
            f"decoding {width} x {height} pixels of this format takes about {held >> 20} MiB, the limit is "
            f"{limits.max_picture_bytes >> 20}",
            "raise Limits.max_picture_bytes if this is expected",
        )


#: Decoders that Pillow has in Python take a microsecond or more for each pixel.
_IN_PYTHON = ("dds_rgb", "bmp_rle")
_SLOWER = 20  # their pictures may have so many times fewer pixels
_MOST_PIECES = 100_000  # strips and tiles that are decoded one by one


def check_work(image: Any, name: str, limits: Limits) -> None:
    """Raises an error if decoding a Pillow image, whose header was read, would take long.

    Raises:
        LimitError: it has too many pixels for a decoder that is slow.
        SourceError: it is made of more pieces than any program writes.
    """
    pieces = getattr(image, "tile", None) or []
    if len(pieces) > _MOST_PIECES:
        raise SourceError(name, f"the picture is made of {len(pieces)} pieces", "save it again")
    most = limits.max_pixels // _SLOWER
    if image.width * image.height > most and any(piece[0] in _IN_PYTHON for piece in pieces):
        raise LimitError(
            name,
            f"{image.width} x {image.height} pixels of this slow kind are more than {most}",
            "save it as PNG, or raise Limits.max_pixels",
        )
