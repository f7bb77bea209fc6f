"""The entry of ``bind-export``."""

from __future__ import annotations

from collections.abc import Sequence

from bindrt_cli import start


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    return start("bindrt_export.command", argv)
