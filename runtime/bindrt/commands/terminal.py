"""What the console scripts share: how they end, and what they say when something is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console

from bindrt.errors import Error, OptionError


def run_command(
    name: str, run: Callable[[Console], None], output: object = "standard output", when_stopped: str = ""
) -> int:
    """Runs a command, and says in one line on standard error why it failed.

    Args:
        name: the command's name, for example ``bind-embed``.
        run: does the work; it is given the console on standard error.
        output: what could not be written where the operating system names no file.
        when_stopped: what to say after "stopped" when the user interrupts.

    Returns:
        The exit code: 0 done, 1 an error, 2 wrong usage, 130 interrupted.
    """
    console = Console(stderr=True, emoji=False)
    try:
        run(console)
        return 0
    except Error as error:
        complain(console, name, error)
        return 2 if isinstance(error, OptionError) else 1
    except KeyboardInterrupt:
        console.print(f"{name}: stopped{when_stopped}", highlight=False, soft_wrap=True, markup=False)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:  # reading inputs never raises one: they fail as bindrt errors
        complain(console, name, system_error(output, error))
        return 1


def complain(console: Console, command: str, error: Error) -> None:
    """Prints an error in one line, without a traceback; names in it are never taken for markup."""
    console.print(f"[red]{command}:[/]", end=" ")
    console.print(str(error), highlight=False, soft_wrap=True, markup=False, emoji=False)


def system_error(what: object, error: OSError) -> Error:
    """What the operating system refused, as a bindrt error."""
    where = error.filename if error.filename is not None else what
    return Error(
        str(where), f"it cannot be written ({error.strerror})", "check the path, rights and free space"
    )
