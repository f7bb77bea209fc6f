"""The part of a recording that is wanted, in seconds from its beginning."""

from __future__ import annotations

from bindrt.errors import InputError
from bindrt.numeric import is_number


def check_span(start: object, end: object, name: str) -> tuple[float, float | None]:
    """Where a part starts and ends; None stands for the recording's beginning or end.

    Raises:
        InputError: one of them is not a number of seconds, or the part ends before it starts.

    >>> check_span(None, 2, "film.mp4")
    (0.0, 2.0)
    """
    begin = 0.0 if start is None else _seconds("start", start, name)
    stop = None if end is None else _seconds("end", end, name)
    if stop is not None and stop <= begin:
        raise InputError(name, f"it ends at {stop:g} s and starts at {begin:g} s", "end after it starts")
    return begin, stop


def _seconds(key: str, value: object, name: str) -> float:
    if is_number(value) and value >= 0:
        return float(value)
    raise InputError(name, f"{key} is {value!r}", "it is a number of seconds from the beginning")
