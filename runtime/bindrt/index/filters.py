"""Conditions on metadata: which items a search may find."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Union

from bindrt.errors import OptionError
from bindrt.index.metadata import Metadata

#: ``{"album": "summer", "year": {">=": 2020}, "city": ["Bonn", "Ulm"]}``, or a function of the metadata.
Where = Union[Mapping[str, Any], Callable[[Metadata], bool]]

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MISSING = object()


def as_condition(where: object) -> Callable[[Metadata], bool]:
    """A condition as a function that tells whether metadata fulfils it.

    Raises:
        OptionError: it is neither a dict nor a function, or it compares with an unknown operator.

    >>> condition = as_condition({"album": "summer", "year": {">=": 2020}})
    >>> condition({"album": "summer", "year": 2024}), condition({"album": "summer"})
    (True, False)
    """
    if callable(where):
        return where
    if not isinstance(where, Mapping):
        raise OptionError(
            f"where={where!r}"[:80], "not a condition", 'give a dict, for example {"album": "summer"}'
        )
    tests = {field: _test(field, wanted) for field, wanted in where.items()}
    return lambda metadata: all(test(metadata.get(field, _MISSING)) for field, test in tests.items())


def _test(field: str, wanted: object) -> Callable[[Any], bool]:
    """Whether a field's value is wanted; a field that is missing or cannot be compared is not."""
    if isinstance(wanted, (list, tuple, set, frozenset)):
        return lambda value: value in wanted
    if not isinstance(wanted, Mapping):
        return lambda value: bool(value == wanted)
    for name in wanted:
        if name not in _COMPARED:
            raise OptionError(
                f"where: {field!r}", f"unknown comparison {name!r}", f"one of {', '.join(_COMPARED)}"
            )
    return lambda value: (
        value is not _MISSING and all(_holds(_COMPARED[name], value, other) for name, other in wanted.items())
    )


def _holds(compare: Callable[[Any, Any], bool], value: object, other: object) -> bool:
    try:
        return bool(compare(value, other))
    except TypeError:  # a text and a number, for example
        return False
