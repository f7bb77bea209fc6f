"""``config.pbtxt``: nested mappings as protobuf's text format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union


class Word(str):
    """A value of an enumeration, which stands without quotes."""


Value = Union[str, int, float, bool, Mapping[str, Any], Sequence[Any]]


def pbtxt(message: Mapping[str, Value]) -> str:
    """The text of a message; a list is a repeated field, and a map is a list of ``key`` and ``value``.

    >>> print(pbtxt({"name": "image", "input": [{"data_type": Word("TYPE_FP32"), "dims": [3, 2]}]}), end="")
    name: "image"
    input {
      data_type: TYPE_FP32
      dims: 3
      dims: 2
    }
    """
    return "".join(f"{line}\n" for line in _lines(message))


def of_map(values: Mapping[Any, Value]) -> list[dict[str, Any]]:
    """A map, as a message holds one.

    >>> of_map({"views": "views"})
    [{'key': 'views', 'value': 'views'}]
    """
    return [{"key": key, "value": value} for key, value in values.items()]


def _lines(message: Mapping[str, Value]) -> Iterator[str]:
    for name, value in message.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(one, Mapping):
                yield f"{name} {{"
                yield from (f"  {line}" for line in _lines(one))
                yield "}"
            else:
                yield f"{name}: {_scalar(one)}"


def _scalar(value: Value) -> str:
    if isinstance(value, Word) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return str(value)
    return json.dumps(value)  # texts in quotes, true and false
