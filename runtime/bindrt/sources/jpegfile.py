"""What stands in a JPEG file beside its pixels: its segments, its scans, which way up it was taken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bindrt import _core
from bindrt.errors import LimitError, SourceError
from bindrt.limits import Limits
from bindrt.sources.orientation import find_orientation

_SEQUENTIAL = (0xC0, 0xC1)  # frames whose coefficients are whole in one scan
_SCAN, _END, _APP1 = 0xDA, 0xD9, 0xE1
#: Before the first scan; Pillow takes some microseconds for each.
_MOST_SEGMENTS: int = _core.item_numbers()["picture"]["most_segments"]
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length: TEM, RST0 to RST7, SOI
#: Inside a scan 0xFF is data if 0 follows, and a restart marker is part of the scan.
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def segments(data: bytes, scans: bool = False) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the content of each segment, up to the first scan or the first damage.

    Args:
        data: the file.
        scans: also those after the first scan, up to the end of the image. Thumbnails and what follows the
            image (a second picture, a film) are not looked into.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker == _END:
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, at + 4, min(end, len(data))
        if marker == _SCAN:
            found = _AFTER_SCAN.search(data, end) if scans else None
            if found is None:
                return
            end = found.start()
        at = end


def check_scans(data: bytes, name: str, limits: Limits) -> None:
    """Raises LimitError for more scans than ``limits.max_scans``: each costs a pass over all pixels.

    Raises SourceError for more segments than any program writes.
    """
    if _has_one_scan(data, name):  # as most have; counting takes longer
        return
    count = sum(marker == _SCAN for marker, _, _ in segments(data, scans=True))
    if count > limits.max_scans:
        raise LimitError(
            name,
            f"the JPEG has {count} scans, the limit is {limits.max_scans}",
            "raise Limits.max_scans if this is expected",
        )


def _has_one_scan(data: bytes, name: str) -> bool:
    """Whether the first scan has all that the frame has: then a decoder reads no other.

    Raises:
        SourceError: there are more segments before it than any program writes.
    """
    components = 0
    for number, (marker, start, end) in enumerate(segments(data)):
        if number > _MOST_SEGMENTS:
            raise SourceError(name, f"the JPEG has more than {_MOST_SEGMENTS} segments", "save it again")
        if marker in _SEQUENTIAL and end > start + 5:
            components = data[start + 5]
        elif marker == _SCAN:
            return end > start and data[start] == components
    return False


def orientation(data: bytes) -> int:
    """The orientation of the picture as its EXIF or XMP data has it, 1 to 8; 1 if it has none."""
    exif, xmp = b"", b""
    for marker, start, end in segments(data):
        if marker == _APP1 and data.startswith(b"Exif\0\0", start):
            exif = exif or data[start:end]
        elif marker == _APP1 and data.startswith(b"http://ns.adobe.com/xap/", start):
            xmp = xmp or data[start:end]
    return find_orientation(exif, xmp)
