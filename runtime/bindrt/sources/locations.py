"""Texts that say where a file is: paths with ``~``, ``file:`` and ``data:`` URIs, URLs."""

from __future__ import annotations

import base64
import contextlib
import os
import re
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from bindrt.errors import LimitError, SourceError
from bindrt.limits import Limits

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")
#: The alphabet of base64 for URLs, as that of base64.
_ALPHABET = bytes.maketrans(b"-_", b"+/")
_SPACE = b" \t\n\r\v\f"
#: Bytes whose percent signs are decoded at once: each makes objects that take many times what it stands for.
PIECE = 1 << 12


def is_uri(place: str) -> bool:
    """Whether a text is a ``file:`` or ``data:`` URI, or a URL that fsspec opens (``s3://…``)."""
    return _URL.match(place) is not None or is_file_uri(place) or is_data(place)


def is_file_uri(place: str) -> bool:
    return place[:6].lower() == "file:/"


def is_data(place: str) -> bool:
    """Whether a text is a ``data:`` URI, which holds the file itself."""
    return place[:5].lower() == "data:" and "," in place


def file_path(place: str, name: str) -> str:
    """The path in a ``file:`` URI.

    Raises:
        SourceError: it names another machine.

    >>> file_path("file:///tmp/a%20cat.jpg", "it")
    '/tmp/a cat.jpg'
    """
    parts = urlsplit(place)
    if parts.netloc not in ("", "localhost"):
        raise SourceError(name, f"the file is on {parts.netloc}", "copy it to this machine first")
    return unquote(parts.path, errors="surrogateescape")


def at_home(path: str) -> str:
    """A path whose ``~`` is the home folder, unless a file has that very name."""
    return os.path.expanduser(path) if path.startswith("~") and not os.path.lexists(path) else path


def local_path(place: str) -> str | None:
    """The path of a file on this machine; None for a URL and a ``data:`` URI.

    >>> local_path("file:///tmp/a.jpg"), local_path("https://example.org/a.jpg")
    ('/tmp/a.jpg', None)
    """
    if is_file_uri(place):
        with contextlib.suppress(SourceError):
            return file_path(place, place)
    return None if is_uri(place) else at_home(place)


def data_bytes(place: str, name: str, limits: Limits) -> bytes:
    """The file in a ``data:`` URI.

    Raises:
        SourceError: it is damaged.
        LimitError: it has more than ``limits.max_bytes``.

    >>> data_bytes("data:text/plain;base64,aGk=", "it", Limits())
    b'hi'
    """
    header, _, data = place.partition(",")
    is_base64 = header.lower().endswith(";base64")
    if len(data) * (3 if is_base64 else 4) // 4 > limits.max_bytes + 2:
        raise LimitError(name, f"it has more than {limits.max_bytes} bytes", "raise Limits.max_bytes")
    raw = _unquoted(data)
    if not is_base64:
        return raw
    raw = raw.translate(_ALPHABET, _SPACE).rstrip(b"=")
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except ValueError as error:
        raise SourceError(name, f"the data: URI is damaged: {error}", "encode the file as base64") from error


def _unquoted(text: str) -> bytes:
    """The bytes of a text, those that stand as ``%41`` decoded."""
    raw = text.encode()
    if b"%" not in raw:
        return raw
    found, at = bytearray(), 0
    while at < len(raw):
        end = at + PIECE
        if (sign := raw.rfind(b"%", end - 2, end)) >= 0:
            end = sign  # what it stands for may reach into the next piece
        found += unquote_to_bytes(raw[at:end])
        at = end
    return bytes(found)
