"""Limits that protect memory from hostile or mistaken input; each is checked before memory is allocated."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Real

from bindrt.errors import OptionError


@dataclass(frozen=True)
class Limits:
    """Upper bounds on what one item may decode to; raise them where larger items are expected.

    Attributes:
        max_pixels: pixels of one image, video frame, depth map or thermal frame.
        max_bytes: bytes of one item that is given as, or must be read into, memory.
        max_seconds: length of one recording, in seconds of audio or video.
        max_packets: packets of one track of a recording. A file may also not claim more of them than it has
            bytes for.
        max_pixels_per_byte: pixels that a video's packets may decode to, for each of their bytes, beyond the
            first 6 thousand million. It bounds the time that a small file may take.
        max_scans: scans of one JPEG. Each costs a pass over all its pixels; a progressive JPEG has about ten.
        max_picture_bytes: bytes that the decoder of one picture may hold, about. WebP, AVIF, HEIF and JPEG XL
            take much more of them for a pixel than JPEG and PNG. The frames that a video's decoder keeps may
            have so many, and 64 for each byte of the file.

    Raises:
        OptionError: a limit is not a number above 0.

    >>> Limits(max_seconds=60).max_pixels
    89478485
    """

    max_pixels: int = 89_478_485  # Pillow's own warning threshold: 256 MiB of RGB
    max_bytes: int = 2 << 30
    max_seconds: float = 24 * 3600.0
    max_packets: int = 6_000_000  # 24 hours of 60 frames a second are 5.2 million
    max_pixels_per_byte: float = 20_000  # a still picture in 4K, a key frame each 250: some 7000
    max_scans: int = 64
    max_picture_bytes: int = 850 << 20

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, Real) or not float(value) > 0:
                raise OptionError(f"Limits({field.name}={value!r})", "not a limit", "give a number above 0")


DEFAULT_LIMITS = Limits()

#: What a compressed file of vectors or of rows may take in memory: so many bytes, and so many times its size.
_ALWAYS, _TIMES = 1 << 26, 32


def most_unpacked(size: int) -> int:
    """The most bytes of memory that a compressed file of ``size`` bytes may take: of rows, of embeddings.

    >>> most_unpacked(1000)
    67140864
    """
    return _ALWAYS + _TIMES * size


def require_limits(limits: object) -> None:
    """Raises OptionError unless ``limits`` is a :class:`Limits`."""
    if not isinstance(limits, Limits):
        raise OptionError(f"limits={limits!r}"[:80], "not limits", "pass bindrt.Limits(…), or leave it out")
