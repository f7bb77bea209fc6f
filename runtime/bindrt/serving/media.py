"""Files in texts: ``data:`` URIs and plain base64. What a client names is never opened as a path."""

from __future__ import annotations

from bindrt.errors import InputError, SourceError
from bindrt.limits import Limits
from bindrt.sources.locations import data_bytes, is_data


def is_url(text: str) -> bool:
    """Whether a text is an ``http:`` or ``https:`` URL."""
    return text[:8].lower().startswith(("http://", "https://"))


def file_in_uri(uri: str, place: str, limits: Limits) -> bytes:
    """The bytes in a ``data:`` URI.

    Raises:
        InputError: it is no such URI, or is damaged.
        LimitError: it has more bytes than ``limits`` allows.

    >>> file_in_uri("data:text/plain;base64,aGk=", "input[0]", Limits())
    b'hi'
    """
    if is_data(uri):
        return _filled(data_bytes(uri, place, limits), place)
    if is_url(uri):
        raise InputError(place, "this server does not fetch URLs", "send the file itself as a data: URI")
    raise InputError(place, "it is not a data: URI", "send data:image/png;base64,… with the file's type")


def file_in_base64(text: str, place: str, limits: Limits) -> bytes:
    """The bytes in plain base64.

    Raises:
        SourceError: it is damaged, or empty.
        LimitError: it has more bytes than ``limits`` allows.

    >>> file_in_base64("aGk=", "images[0]", Limits())
    b'hi'
    """
    return _filled(data_bytes(f"data:;base64,{text}", place, limits), place)


def _filled(data: bytes, place: str) -> bytes:
    if not data:
        raise SourceError(place, "it holds no bytes", "send a file")
    return data
