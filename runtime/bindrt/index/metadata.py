"""Metadata of items, held as JSON; equal metadata is held once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bindrt.errors import InputError

Metadata = Mapping[str, Any]


def as_texts(metadata: object, count: int, name: str = "metadata") -> list[str]:
    """Metadata of ``count`` items as JSON; an empty text where there is none.

    Raises:
        InputError: it is not one mapping for each item, or JSON cannot hold a value.
    """
    if metadata is None:
        return [""] * count
    if isinstance(metadata, (Mapping, str, bytes)) or not isinstance(metadata, Iterable):
        raise InputError(name, f"{type(metadata).__name__} is not a list", "give a list of one dict for each")
    found = list(metadata)
    if len(found) != count:
        raise InputError(name, f"{len(found)} for {count} vectors", "give one dict for each")
    return [_as_text(value, f"{name}[{i}]") for i, value in enumerate(found)]


def _as_text(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, Mapping):
        raise InputError(name, f"{type(value).__name__} is not a dict", "give texts and numbers by name")
    if not value:
        return ""
    try:
        text = json.dumps(dict(value), ensure_ascii=False, allow_nan=False, default=_plain)
        text.encode()
    except UnicodeEncodeError:  # file names that are not UTF-8: JSON can escape them
        return json.dumps(dict(value), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(name, f"JSON cannot hold it ({error})", "give texts and numbers") from None
    return text


def _plain(value: object) -> object:
    """A number of NumPy or a path as JSON can hold it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    raise TypeError(f"{type(value).__name__} is not JSON serializable")


def from_text(text: str, row: int) -> dict[str, Any]:
    """The metadata that :func:`as_texts` made a text of.

    Raises:
        InputError: the text is damaged.
    """
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"metadata of row {row} of the index", f"not JSON ({error})", "build the index again"
        ) from None
    if not isinstance(found, dict):
        raise InputError(f"metadata of row {row} of the index", "not an object", "build the index again")
    return found
