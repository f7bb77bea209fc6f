"""Texts that say where a file is: paths with ``~``, ``file:`` and ``data:`` URIs, URLs."""

from __future__ import annotations

import base64
import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from bindrt.errors import Error, LimitError, SourceError
from bindrt.extras import install
from bindrt.limits import Limits

#: Files behind URLs up to this size are fetched whole; of larger ones, what a decoder asks for.
_WHOLE = 64 << 20
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")


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
    raw = unquote_to_bytes(data)
    if not is_base64:
        return raw
    raw = b"".join(raw.split()).rstrip(b"=")
    raw = raw.translate(bytes.maketrans(b"-_", b"+/"))  # the alphabet for URLs
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except ValueError as error:
        raise SourceError(name, f"the data: URI is damaged: {error}", "encode the file as base64") from error


def open_url(place: str, name: str, limits: Limits) -> Any:
    """The file behind a URL as a file object, or its bytes if it is small.

    Raises:
        SourceError: it cannot be opened.
        Error: fsspec is not installed.
    """
    if "::" in place:
        raise SourceError(name, "chained URLs are not opened", "open it with fsspec and pass the file object")
    try:
        import fsspec  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise Error(
            name, "a URL needs the package fsspec", f"{install('remote')}, or download it first"
        ) from None
    with _fetching(name):
        filesystem, path = fsspec.core.url_to_fs(place)
        file = filesystem.open(path, "rb")
        if not 0 <= (getattr(file, "size", None) or -1) <= min(_WHOLE, limits.max_bytes):
            return file
        with file:
            return file.read()


@contextlib.contextmanager
def _fetching(name: str) -> Iterator[None]:
    """Turns what fsspec raises into a SourceError."""
    try:
        yield
    except FileNotFoundError:
        raise SourceError(name, "there is no such file", "check the URL") from None
    except ImportError as error:  # the package of that store is missing
        raise SourceError(name, str(error), "install it, or download the file first") from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise SourceError(name, f"cannot open the URL: {reason}", "check the URL") from error
