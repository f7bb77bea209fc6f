"""The fields of decoded messages, which differ a little between ROS 1, ROS 2, protobuf and JSON."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from bindrt.errors import InputError


def field(message: Any, *names: str) -> Any:
    """The first of several fields that a message has.

    Raises:
        InputError: it has none.
    """
    for name in names:
        if (found := getattr(message, name, None)) is not None:
            return found
    raise InputError("", f"the message has no {names[0]}", "its type is another one than its topic says")


def number(message: Any, *names: str) -> int:
    """A whole number that is not negative.

    Raises:
        InputError: it is missing, or another thing.
    """
    value = field(message, *names)
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise InputError("", f"{names[0]} is {value!r}"[:80], "it is a whole number")
    return int(value)


def text(message: Any, *names: str) -> str:
    value = field(message, *names)
    if not isinstance(value, str):
        raise InputError("", f"{names[0]} is {value!r}"[:80], "it is a text")
    return value


def data_of(message: Any) -> bytes:
    """The bytes of a message's ``data``.

    Raises:
        InputError: it has none, or text that is not base64.
    """
    value = field(message, "data")
    if isinstance(value, str):  # JSON
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            raise InputError("", "its data are not base64", "as JSON must have them") from None
    try:
        return bytes(memoryview(value))
    except TypeError:
        raise InputError("", f"its data are {type(value).__name__}", "they are bytes") from None


def stamp(message: Any) -> float | None:
    """The sensor's time of a message in seconds; None if it has none, or zero."""
    header = getattr(message, "header", None)
    told = getattr(header, "stamp", None) if header is not None else getattr(message, "timestamp", None)
    seconds = _first(told, "sec", "seconds")
    parts = _first(told, "nanosec", "nsec", "nanos")
    return seconds + parts * 1e-9 if seconds or parts else None


def _first(told: Any, *names: str) -> float:
    for name in names:
        value = getattr(told, name, None)
        if isinstance(value, (int, float, np.number)) and np.isfinite(value):
            return float(value)
    return 0.0
