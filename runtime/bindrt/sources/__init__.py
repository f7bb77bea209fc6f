"""Decoding: paths, bytes and file objects to pixels, samples and arrays.

Formats are told by content, never by suffix. Whatever a decoder raises becomes a
:class:`bindrt.SourceError` that names the item.
"""

from __future__ import annotations

from bindrt.sources.content import Content
from bindrt.sources.formats import Format, sniff
from bindrt.sources.opening import Opened, is_file_source, open_source

__all__ = ["Content", "Format", "Opened", "is_file_source", "open_source", "sniff"]
