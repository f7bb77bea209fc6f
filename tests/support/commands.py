"""Running the console scripts as a user does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(sys.executable).parent


def command(name: str, *args: object) -> list[str]:
    """The command line of an installed script."""
    return [str(SCRIPTS / name), *map(str, args)]


def run_command(
    name: str, *args: object, timeout: float = 300, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; never with a Python traceback, whatever the exit code."""
    done = subprocess.run(
        command(name, *args),
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done
