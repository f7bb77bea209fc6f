"""Options of a command that may also stand in a file of TOML and in the environment.

The parser's options are the one table of names: ``--max-body`` is ``max-body`` in the file and, for a prefix
``BINDRT_SERVE_``, the variable ``BINDRT_SERVE_MAX_BODY``.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bindrt.commands.terminal import CommandParser
from bindrt.errors import Error, OptionError
from bindrt.extras import install
from bindrt.option_texts import reader_of

#: Options that only a command line has.
_FLAGS_ONLY = ("verbose", "version", "check_config")


class Setting(NamedTuple):
    """The value of an option, and where it comes from."""

    name: str
    value: Any
    source: str


class ConfiguredParser(CommandParser):
    """Takes an option from its flag, else from the environment, else from the file of ``--config``.

    Args:
        prefix: of variables in the environment.
    """

    def __init__(self, prefix: str, prog: str, usage: str, description: str, example: str) -> None:
        super().__init__(prog, usage, description, example)
        self._prefix = prefix

    def add_config(self) -> None:
        """Adds ``--config`` and ``--check-config``."""
        add = self.section("configuration")
        add("--config", type=Path, metavar="FILE",
            help="a file of TOML with these options, without their dashes in front: max-body = 1000000; a "
            f"variable such as {self._prefix}MAX_BODY goes before it, and a flag before both")  # fmt: skip
        add("--check-config", action="store_true", help="check all of it, print what would hold, and end")

    def parse_intermixed_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """As argparse; ``settings`` of what is returned lists all of them.

        Raises:
            OptionError: a name is no option's, a value is none, or the file cannot be read.
        """
        defaults = {action.dest: action.default for action in self.options}
        for action in self.options:
            action.default = argparse.SUPPRESS  # what no flag gives is then missing
        try:
            found = super().parse_intermixed_args(args, namespace)
        finally:
            for action in self.options:
                action.default = defaults[action.dest]
        self._fill(found, defaults)
        return found

    def _fill(self, found: argparse.Namespace, defaults: Mapping[str, Any]) -> None:
        """Adds what no flag gave."""
        named = {
            action.dest.replace("_", "-"): action for action in self.options if action.dest not in _FLAGS_ONLY
        }
        named.pop(argparse.SUPPRESS, None)
        given = _from_environment(self._prefix, named)
        path = vars(found).get("config", given["config"].value if "config" in given else None)
        if path is not None:
            del named["config"]
            given = {**_from_file(path, named), **given}
        settings = []
        for action in self.options:
            if action.dest == argparse.SUPPRESS:
                continue
            name = action.dest.replace("_", "-")
            flag = action.option_strings[0] if action.option_strings else "arguments"
            if hasattr(found, action.dest):
                setting = Setting(name, getattr(found, action.dest), flag)
            else:
                setting = given.get(name) or Setting(name, defaults[action.dest], "default")
            setattr(found, action.dest, setting.value)
            if action.dest not in (*_FLAGS_ONLY, "config"):
                settings.append(setting)
        found.settings = settings


def settings_text(settings: Sequence[Setting]) -> str:
    """Settings as a file of TOML that says the same, with where each comes from."""
    lines = []
    for setting in settings:
        if setting.value is None or setting.value == []:
            lines.append(f"# {setting.name} is not given")
        else:
            lines.append(f"{setting.name} = {_toml(setting.value)}  # {setting.source}")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value if isinstance(value, (bool, int, float)) else str(value), ensure_ascii=False)


def _from_environment(prefix: str, named: Mapping[str, argparse.Action]) -> dict[str, Setting]:
    names = {prefix + name.replace("-", "_").upper(): name for name in named}
    found = {}
    for variable, text in os.environ.items():
        if not variable.startswith(prefix):
            continue
        if variable not in names:
            raise OptionError(variable, "there is no such option", _near(variable, names))
        action = named[names[variable]]
        try:
            texts = shlex.split(text) if _takes_several(action) else [text]
        except ValueError as error:
            raise OptionError(f"{variable}={text!r}"[:80], str(error), "quote it as a shell does") from None
        found[names[variable]] = Setting(names[variable], _value(action, texts, variable), variable)
    return found


def _from_file(path: Path, named: Mapping[str, argparse.Action]) -> dict[str, Setting]:
    found = {}
    for name, value in _read(path).items():
        where = f"{name} in {path}"
        if name not in named:
            raise OptionError(where, "there is no such option", _near(name.replace("_", "-"), named))
        values = value if isinstance(value, list) else [value]
        is_switch = named[name].nargs == 0
        if not all(
            isinstance(each, bool if is_switch else (str, int, float)) and isinstance(each, bool) == is_switch
            for each in values
        ):
            wanted = "true or false" if is_switch else "a text or a number"
            raise OptionError(where, f"its value is {value!r}"[:80], f"give {wanted}")
        texts = [str(each).lower() if is_switch else str(each) for each in values]
        found[name] = Setting(name, _value(named[name], texts, where), str(path))
    return found


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ImportError:
            raise Error("--config", "tomli is not installed", install("serve")) from None
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        return found
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise OptionError(f"--config {path}", f"it cannot be read: {reason}", "give a file of TOML") from None


def _takes_several(action: argparse.Action) -> bool:
    return action.nargs in ("+", "*")


def _value(action: argparse.Action, texts: Sequence[str], where: str) -> Any:
    """Texts as the flag takes them."""
    if action.nargs == 0:
        kind: Any = reader_of(bool).read
    else:
        kind = action.type or str
    if not _takes_several(action) and len(texts) != 1:
        raise OptionError(where, "it is a list", "give one value")
    try:
        values = [kind(text) for text in texts]
    except (ValueError, TypeError):
        values = [None]
    if None in values:
        wanted = {int: "a whole number", float: "a number"}.get(kind, "true or false")
        raise OptionError(where, f"it is {' '.join(texts)!r}"[:80], f"give {wanted}")
    return values if _takes_several(action) else values[0]


def _near(name: str, known: Mapping[str, Any]) -> str:
    """What a wrong name may have meant."""
    near = difflib.get_close_matches(name, known, 1)
    return f"is it {near[0]}?" if near else f"one of {', '.join(known)}"
