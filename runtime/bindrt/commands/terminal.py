"""What the console commands share: the form of their options, how they end, and what they say of errors."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from rich.console import Console

import bindrt
from bindrt.errors import Error, OptionError, cannot_write

#: The exit codes of all commands; docs/commands.md has the table.
DONE, FAILED, WRONG_USAGE, STOPPED = 0, 1, 2, 130
#: Done, but files were left out that may have been meant, or parts of a recording cannot be read.
PASSED_OVER = 3

Arguments = argparse.Namespace
#: Adds an option to a section, as ``add_argument`` does.
Add = Callable[..., argparse.Action]


class ShowVersion(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __init__(self, option_strings: Sequence[str], dest: str, **about: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, default=argparse.SUPPRESS, **about)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(parser.prog, bindrt.__version__)
        parser.exit()


class CommandParser(argparse.ArgumentParser):
    """The options of a command. Wrong usage is an :class:`OptionError`, as everything else that is wrong."""

    def __init__(self, prog: str, usage: str, description: str, example: str) -> None:
        """
        Args:
            prog: how the command was called: ``bind-embed`` or ``bindrt embed``.
            usage: its arguments, without ``prog``.
            description: what it does.
            example: the arguments of command lines, one a line.
        """
        width = max(40, shutil.get_terminal_size().columns - 2)
        lines = [f"{prog} {line.strip()}".strip() for line in example.strip().splitlines() or [""]]
        super().__init__(
            prog=prog,
            usage=f"{prog} {usage}",
            description=textwrap.fill(description, width),
            epilog="\n  ".join(["example:", *lines]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.says_json = False
        self.options: list[argparse.Action] = []
        self.add(
            "-v", "--verbose", action="count", default=0, help="say what is decided and how long it takes"
        )
        self.add("--version", action=ShowVersion, nargs=0, help="show the version")

    def add(self, *names: str, **about: Any) -> argparse.Action:
        """As ``add_argument``."""
        self.options.append(self.add_argument(*names, **about))
        return self.options[-1]

    def section(self, title: str) -> Add:
        """A group in the help; what is returned adds an option to it, as :meth:`add`."""
        group = self.add_argument_group(title)

        def add(*names: str, **about: Any) -> argparse.Action:
            self.options.append(group.add_argument(*names, **about))
            return self.options[-1]

        return add

    def add_json(self, what: str) -> None:
        """Adds ``--json``, which prints the result on standard output, and then an error as well."""
        self.add("--json", action="store_true", help=what)
        self.says_json = True

    def error(self, message: str) -> NoReturn:
        what, found, problem = message.removeprefix("argument ").partition(": ")
        item, problem = (what, problem) if found and message.startswith("argument ") else ("", message)
        raise OptionError(item, problem, f"{self.prog} --help lists the options")


@dataclass(frozen=True)
class Command:
    """One console command.

    Attributes:
        name: as in ``bindrt NAME``; alone it is ``bind-NAME``.
        summary: what it does, in a few words.
        parser: makes its parser, given how it was called.
        run: does the work; the exit code, None for 0. The console is on standard error.
        output: what could not be written where the operating system names no file.
        when_stopped: what to say after "stopped" when the user interrupts.
    """

    name: str
    summary: str
    parser: Callable[[str], CommandParser]
    run: Callable[[Arguments, Console], int | None]
    output: Callable[[Arguments], object] = lambda args: "standard output"
    when_stopped: Callable[[Arguments], str] = lambda args: ""

    def main(self, argv: Sequence[str] | None = None, prog: str = "") -> int:
        """Runs the command, and says in one line on standard error why it failed.

        With ``--json`` an error is also a line of JSON on standard output.

        Args:
            argv: the arguments; None: those of this process.
            prog: how it was called.

        Returns:
            The exit code: 0 done, 1 an error, 2 wrong usage, 130 stopped; or what ``run`` returned.
        """
        words = sys.argv[1:] if argv is None else list(argv)
        parser = self.parser(prog or f"bind-{self.name}")
        console = Console(stderr=True, emoji=False)
        args: Arguments | None = None
        try:
            args = parser.parse_intermixed_args(words)  # files may stand behind options
            with heard_log(console, args.verbose):
                return self.run(args, console) or DONE
        except Error as error:
            code, wrong = WRONG_USAGE if isinstance(error, OptionError) else FAILED, error
        except KeyboardInterrupt:
            code, wrong = STOPPED, Error("", f"stopped{self.when_stopped(args) if args else ''}")
        except BrokenPipeError:
            sys.stderr.close()
            return FAILED
        except OSError as error:  # reading inputs never raises one: they fail as bindrt errors
            code, wrong = FAILED, system_error(self.output(args) if args else self.name, error)
        complain(console, parser.prog, wrong)
        if parser.says_json and "--json" in words:
            print_json_error(wrong)
        return code


class ConsoleLog(logging.Handler):
    """Prints records, a defect's with its traceback, without disturbing a progress bar."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(self.format(record), style="dim", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def heard_log(console: Console, verbose: int) -> Iterator[None]:
    """Shows warnings; with ``-v`` what is decided too. What takes long, measuring engines, is always told."""
    all_of_it, measuring = logging.getLogger("bindrt"), logging.getLogger("bindrt.selection.auto")
    levels = all_of_it.level, measuring.level
    handler = ConsoleLog(console)
    all_of_it.addHandler(handler)
    all_of_it.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)])
    measuring.setLevel(min(logging.INFO, all_of_it.level))
    try:
        yield
    finally:
        all_of_it.removeHandler(handler)
        all_of_it.setLevel(levels[0])
        measuring.setLevel(levels[1])


def print_json_error(error: Error) -> None:
    said = {"item": error.item, "problem": error.problem, "remedy": error.remedy}
    with suppress(OSError):  # it may be the output itself that fails
        print(json.dumps({"ok": False, "error": said}), flush=True)


def complain(console: Console, command: str, error: Error) -> None:
    """Prints an error in one line, without a traceback; names in it are never taken for markup."""
    console.print(f"[red]{command}:[/]", end=" ")
    console.print(str(error), highlight=False, soft_wrap=True, markup=False, emoji=False)


def system_error(what: object, error: OSError) -> Error:
    """What the operating system refused, as a bindrt error."""
    where = error.filename if error.filename is not None else what
    return cannot_write(where, error)
