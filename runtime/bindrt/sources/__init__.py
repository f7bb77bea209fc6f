"""Decoding: paths, bytes and file objects to pixels, samples and arrays.

Formats are told by content, never by suffix. Whatever a decoder raises becomes a
:class:`bindrt.SourceError` that names the item.
"""

from __future__ import annotations

from bindrt.sources.contents import contents
from bindrt.sources.formats import PICTURE, SOUND, VIDEO, Format, array_named, sniff
from bindrt.sources.opening import Opened, is_file_source, open_source

__all__ = [
    "PICTURE",
    "SOUND",
    "VIDEO",
    "Format",
    "Opened",
    "array_named",
    "contents",
    "is_file_source",
    "open_source",
    "sniff",
]
