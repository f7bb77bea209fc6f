"""Which picture formats play when they are given as videos: animations, and JPEGs one after the other."""

from __future__ import annotations

from bindrt.sources.beginning import read_at
from bindrt.sources.formats import Format
from bindrt.sources.opening import Opened, decoding

_IN_FRONT = 1 << 20  # bytes: what may stand before the pictures of a PNG
_LARGEST = 64 << 20  # bytes of the first JPEG of a stream
_END = 4096  # zeros may stand behind the last frame
_WEBP_ANIMATED = 2  # a flag of the header


def plays(opened: Opened, file_format: Format) -> bool:
    """Whether FFmpeg plays it: GIF, animated PNG, and a stream of JPEGs."""
    with decoding(opened.name, f"{file_format.title} image"):
        if file_format.name == "PNG":
            before = read_at(opened, 0, _IN_FRONT).partition(b"IDAT")[0]
            return b"acTL" in before
        if file_format.name == "JPEG":
            return b"\xff\xd9\xff\xd8\xff" in read_at(opened, 0, _LARGEST)
    return file_format.name == "GIF"


def ends_early(opened: Opened, file_format: Format) -> bool:
    """Whether the mark is missing with which such a file ends. The last frame is damaged then."""
    mark = {"GIF": b";", "JPEG": b"\xff\xd9"}.get(file_format.name)
    if mark is None:
        return False
    with decoding(opened.name, f"{file_format.title} image"):
        end = read_at(opened, max(opened.size - _END, 0), _END)
    return not end.rstrip(b"\0\r\n").endswith(mark)


def is_animation(opened: Opened, file_format: Format) -> bool:
    """Whether it is an animated WebP or AVIF, which FFmpeg does not play and Pillow does."""
    if file_format.name == "WEBP":
        head = opened.head
        return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & _WEBP_ANIMATED)
    return file_format.name == "AVIF" and b"avis" in opened.head[8:64]
