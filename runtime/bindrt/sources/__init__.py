"""Decoding: paths, bytes and file objects to pixels, samples and arrays.

A file's format is found from its content, never from its suffix. Whatever a decoder raises becomes a
:class:`bindrt.SourceError` that names the item. A new format is a row in ``formats.py``.
"""

from __future__ import annotations

from bindrt.sources.content import Content
from bindrt.sources.formats import Format, sniff
from bindrt.sources.opening import Opened, is_file_source, open_source

__all__ = ["Content", "Format", "Opened", "is_file_source", "open_source", "sniff"]
