"""``python -m bindrt doctor [--json]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bindrt.diagnosis import doctor


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; exit code 0 if all is well, 1 if the doctor found a problem."""
    parser = argparse.ArgumentParser(prog="python -m bindrt", description="bindrt: ImageBind, compiled.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "doctor", help="what is installed, what is missing, what this machine can do"
    )
    command.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args(arguments)
    report = doctor()
    print(json.dumps(report.as_dict(), indent=2) if options.json else report)
    return 0 if report.healthy else 1


if __name__ == "__main__":
    sys.exit(main())
