"""Values of options as texts on the command line, read by the type that they have in Python."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

_SWITCH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Reader:
    """Reads the values of one type.

    Attributes:
        read: the value of a text; None if it has none.
        values: which texts have one, in words.
        is_switch: whether the value is on or off.
    """

    read: Callable[[str], Any]
    values: str
    is_switch: bool = False


def reader_of(hint: Any) -> Reader:
    """The reader of a type: bool, int, float, str, a Literal, a fixed tuple or sequence of these, or None.

    >>> reader_of(float | None).read("0.5")
    0.5
    >>> reader_of(Literal["m", "mm"]).read("inch") is None
    True
    >>> reader_of(tuple[float, float]).read("1,99")
    (1.0, 99.0)

    Raises:
        TypeError: no text can be read as that type.
    """
    if hint is bool:
        return Reader(lambda text: _SWITCH.get(text.lower()), "true or false", is_switch=True)
    if hint is int:
        return Reader(_whole, "a whole number")
    if hint is float:
        return Reader(_number, "a number")
    if hint is str:
        return Reader(lambda text: text or None, "a text")
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        named = {str(value): value for value in inner}
        return Reader(named.get, f"one of {', '.join(named)}")
    if origin in (Union, types.UnionType):
        return _first_of(inner)
    if origin is tuple and Ellipsis not in inner:
        return _fixed([reader_of(part) for part in inner])
    if origin in (tuple, list, Sequence):
        return _any_number(reader_of(inner[0]))
    raise TypeError(f"no text can be read as {hint}")


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _first_of(hints: Sequence[Any]) -> Reader:
    """One of several types; those that no text can be read as are for callers in Python alone."""
    readers = []
    for hint in hints:
        with suppress(TypeError):
            readers.append(reader_of(hint))
    if not readers:
        raise TypeError(f"no text can be read as one of {hints}")
    if len(readers) == 1:
        return readers[0]

    def read(text: str) -> Any:
        return next((v for r in readers if (v := r.read(text)) is not None), None)

    return Reader(read, " or ".join(reader.values for reader in readers))


def _fixed(readers: list[Reader]) -> Reader:
    """So many values, with commas in between; with colons where a value has commas of its own."""
    between = ":" if any("commas" in reader.values for reader in readers) else ","

    def read(text: str) -> Any:
        parts = text.split(between)
        if len(parts) != len(readers):
            return None
        values = tuple(r.read(part.strip()) for r, part in zip(readers, parts, strict=True))
        return None if None in values else values

    what = "colons between them" if between == ":" else "commas between them"
    return Reader(read, f"{len(readers)} values, {what}")


def _any_number(reader: Reader) -> Reader:
    def read(text: str) -> Any:
        values = tuple(reader.read(part.strip()) for part in text.split(","))
        return None if None in values else values

    return Reader(read, "values, commas between them")
