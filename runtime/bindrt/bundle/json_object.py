"""JSON from elsewhere: parsed strictly, its fields fetched with their type and range."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from bindrt.errors import BundleError


def parse_json(content: bytes, name: str) -> object:
    """JSON as the standard has it: UTF-8, no NaN or Infinity, no key twice in one object."""
    try:
        return json.loads(
            content.decode("utf-8"), parse_constant=refuse_constant, object_pairs_hook=unique_keys
        )
    except (ValueError, RecursionError) as error:
        raise BundleError(name, f"not JSON ({error})", "export or copy it again") from None


def refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a number")


def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


class JsonObject:
    """A JSON object whose fields are fetched with their type and range, or named as wrong."""

    def __init__(self, value: object, where: str) -> None:
        self.where = where
        if not isinstance(value, dict):
            self.fail("it is not an object")
        self.value: dict[str, Any] = value

    def fail(self, problem: str) -> NoReturn:
        raise BundleError(self.where, problem, "export the bundle again, or with this version of bindrt")

    def get(self, key: str, kind: type | tuple[type, ...]) -> Any:
        found = self.value.get(key)
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            self.fail(f"{key} is missing or of the wrong type")
        return found

    def integer(self, key: str, low: int, high: int) -> int:
        found: int = self.get(key, int)
        self.require_range(key, found, low, high)
        return found

    def number(self, key: str, low: float, high: float) -> float:
        found: int | float = self.get(key, (int, float))
        self.require_range(key, found, low, high)
        return float(found)  # after the check: a whole number may be too large for a float

    def require_range(self, key: str, found: int | float, low: float, high: float) -> None:
        if not low <= found <= high:
            self.fail(f"{key} is {repr(found)[:40]}, outside {low}…{high}")

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        found: str = self.get(key, str)
        if found not in allowed:
            self.fail(f"{key} is {found[:40]!r}, expected one of {', '.join(allowed)}")
        return found

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        found: str = self.get(key, str)
        if len(found) > 200 or not pattern.match(found):
            self.fail(f"{key} is {found[:60]!r}, which is not allowed")
        return found

    def child(self, key: str) -> JsonObject:
        return JsonObject(self.value.get(key), f"{self.where} {key}")

    def children(self, key: str) -> Iterator[tuple[str, JsonObject]]:
        for name, value in self.child(key).value.items():
            yield name, JsonObject(value, f"{self.where} {key}.{shown(name)}")

    def items(self, key: str, most: int) -> Iterator[JsonObject]:
        found: list[object] = self.get(key, list)
        if len(found) > most:
            self.fail(f"{key} has {len(found)} entries, at most {most} are allowed")
        for i, value in enumerate(found):
            yield JsonObject(value, f"{self.where} {key}[{i}]")


def shown(name: str) -> str:
    """A name for a message: short, and without characters that a terminal would obey."""
    return name[:40] if name.isprintable() else repr(name[:40])
