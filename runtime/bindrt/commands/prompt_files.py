"""Files of prompts for a monitor: ``--prompts``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bindrt.errors import OptionError, SourceError
from bindrt.modalities import MODALITIES

#: What a file may say besides the prompts: options of ``bindrt.Monitor``.
_OPTIONS = ("on", "off", "hold", "cooldown", "score", "gap")
_REMEDY = 'for example {"prompts": {"bell": ["a bell ringing"]}, "against": ["a car"], "on": 0.3}'
_MOST = 16 << 20


@dataclass(frozen=True)
class Prompts:
    """What a file of prompts says.

    Attributes:
        named: the prompts of each name.
        against: negatives.
        options: the other options of :class:`bindrt.Monitor`.
    """

    named: Mapping[str, list[Any]]
    against: list[Any] = field(default_factory=list)
    options: Mapping[str, Any] = field(default_factory=dict)


def read_prompts(path: Path) -> Prompts:
    """Reads a file of prompts.

    A ``.json`` has ``prompts`` (a list for each name), ``against`` and options of ``bindrt.Monitor``, or
    only the lists by name. A prompt is a text, ``{"audio": "bell.wav"}`` with a file's path from the file of
    prompts on, or ``{"vector": […]}``. Any other file has a text a line, or ``name: text``.

    Raises:
        SourceError: it cannot be read, or is not of this form.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(_MOST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SourceError(
            repr(str(path)), f"the prompts cannot be read: {reason}", "check the path"
        ) from error
    if path.suffix.lower() != ".json":
        return _from_lines(text, path)
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceError(repr(str(path)), f"it is not JSON: {error}", _REMEDY) from error
    if not isinstance(said, dict) or not said:
        raise SourceError(repr(str(path)), "it is not a JSON object with prompts", _REMEDY)
    return _from_object(said, path)


def _from_lines(text: str, path: Path) -> Prompts:
    named: dict[str, list[Any]] = {}
    for line in (line.strip() for line in text.splitlines()):
        if line and not line.startswith("#"):
            name, colon, prompt = (part.strip() for part in line.partition(":"))
            named.setdefault(name, []).append(prompt if colon and prompt else name)
    if not named:
        raise SourceError(repr(str(path)), "it has no prompts", "write a text a line, or name: text")
    against = named.pop("against", [])
    return Prompts(named, against)


def _from_object(said: dict[str, Any], path: Path) -> Prompts:
    if not isinstance(said.get("prompts"), dict):
        said = {"prompts": said}
    unknown = [name for name in said if name not in ("prompts", "against", *_OPTIONS)]
    if unknown:
        known = ", ".join(("prompts", "against", *_OPTIONS))
        raise SourceError(repr(str(path)), f"{unknown[0]!r} is no option of a monitor", f"it has {known}")
    named = {name: _prompts(each, path) for name, each in said["prompts"].items()}
    options = {name: said[name] for name in _OPTIONS if name in said}
    return Prompts(named, _prompts(said.get("against", []), path), options)


def _prompts(given: Any, path: Path) -> list[Any]:
    each = given if isinstance(given, list) else [given]
    return [_prompt(one, path) for one in each]


def _prompt(given: Any, path: Path) -> Any:
    if isinstance(given, str):
        return given
    if isinstance(given, dict) and len(given) == 1:
        ((kind, value),) = given.items()
        if kind == "vector":
            try:
                return np.asarray(value, np.float32)
            except (TypeError, ValueError):
                raise SourceError(repr(str(path)), "a vector is not a list of numbers", _REMEDY) from None
        wrapper = MODALITIES[kind].wrapper if kind in MODALITIES else None
        if wrapper is not None and isinstance(value, str):
            return wrapper(path.parent / value)
        if kind == "text" and isinstance(value, str):
            return value
    raise OptionError("--prompts", f"{given!r} is not a prompt"[:120], _REMEDY)
