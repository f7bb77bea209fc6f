"""Text that came from file names and other places that know no Unicode."""

from __future__ import annotations


def clean(text: str) -> str:
    """Text that UTF-8 can hold. Bytes of a file name that are not UTF-8 become escapes such as ``\\xff``.

    >>> clean("caf\\udce9.jpg")
    'caf\\\\xe9.jpg'
    """
    if type(text) is str and text.isascii():
        return text
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        data = text.encode("utf-8", "backslashreplace")
    return data.decode("utf-8", "backslashreplace")
