"""The commands of ``bindrt``, and those that other packages add."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from bindrt.commands.terminal import Command
from bindrt.errors import OptionError

#: Ours; each has a module of its name with a ``COMMAND``, imported when it is used.
NAMES = ("embed", "stream", "search", "serve", "eval", "probe", "bench", "doctor", "completion")
#: Entry points of this group add commands, for example ``export``; their value is a ``Command``.
GROUP = "bindrt.commands"


def find(name: str) -> Command:
    """The command of a name.

    Raises:
        OptionError: there is none.
    """
    command = _ours(name) if name in NAMES else added().get(name)
    if command is None:
        known = ", ".join(sorted((*NAMES, *added())))
        raise OptionError(repr(name[:60]), "there is no such command", f"one of {known}")
    return command


def all_commands() -> list[Command]:
    """Every command, sorted by name."""
    found = {name: _ours(name) for name in NAMES} | added()
    return [found[name] for name in sorted(found)]


def added() -> dict[str, Command]:
    """The commands of other packages."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}


def _ours(name: str) -> Command:
    found: Command = import_module(f"bindrt.commands.{name}").COMMAND
    return found
