"""``bindrt COMMAND``: one front for all commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console

import bindrt
from bindrt.commands.registry import all_commands, find
from bindrt.commands.terminal import DONE, STOPPED, WRONG_USAGE, complain
from bindrt.errors import OptionError

HELP = """usage: bindrt COMMAND [arguments]

ImageBind, compiled: images, video, text, audio, depth, thermal and IMU as vectors of one space.

commands:
{commands}

options:
  -h, --help  show this; bindrt COMMAND --help shows the options of a command
  --version   show the version

example:
  bindrt embed tiny bell.jpg car.jpg --index things.index
  bindrt search things.index --text "a bell ringing"
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the commands; the exit code."""
    first, *rest = (sys.argv[1:] if argv is None else list(argv)) or ["--help"]
    try:
        if first in ("-h", "--help"):
            lines = [f"  {command.name:<10}  {command.summary}" for command in all_commands()]
            print(HELP.format(commands="\n".join(lines)), end="")
            return DONE
        if first == "--version":
            print(f"bindrt {bindrt.__version__}")
            return DONE
        command = find(first)
    except OptionError as error:
        complain(Console(stderr=True, emoji=False), "bindrt", error)
        return WRONG_USAGE
    except KeyboardInterrupt:  # while it imports
        return STOPPED
    return command.main(rest, f"bindrt {command.name}")
