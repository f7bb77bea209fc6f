"""``python -m bindrt.ray NAME.bind INPUT ... -o OUT``: ``bind-embed`` on a Ray cluster."""

from __future__ import annotations

import sys

from bindrt.commands.embed import COMMAND


def main() -> int:
    """Run the command; the exit code."""
    return COMMAND.main([*sys.argv[1:], "--cluster", "ray"], "python -m bindrt.ray")


if __name__ == "__main__":
    sys.exit(main())
