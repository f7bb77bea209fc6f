"""``bindrt doctor``: what is installed, what is missing, what this machine can do."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from rich.console import Console

from bindrt.commands.terminal import DONE, FAILED, Command, CommandParser
from bindrt.diagnosis import doctor


def parser(prog: str) -> CommandParser:
    p = CommandParser(
        prog,
        "[--json]",
        "Say what is installed, what is missing and how to get it, and what this machine can do. The exit "
        "code is 1 if something keeps bindrt from working as installed.",
        "",
    )
    p.add_json("print the report as JSON")
    return p


def run(args: argparse.Namespace, console: Console) -> int:
    report = doctor()
    print(json.dumps(report.as_dict(), indent=2) if args.json else report)
    return DONE if report.healthy else FAILED


COMMAND = Command("doctor", "what is installed, missing and possible here", parser, run)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; exit code 0 if all is well, 1 if the doctor found a problem."""
    return COMMAND.main(argv, "bindrt doctor")
