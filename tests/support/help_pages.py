"""What ``--help`` prints, kept in files: a change of a command's options is seen by who reviews it.

``PYTHONPATH=tests python -m support.help_pages`` writes them anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "help"
NAMES = (
    "bindrt", "embed", "stream", "search", "serve", "eval", "probe", "bench", "doctor", "completion",
    "export",
)  # fmt: skip


def help_page(name: str) -> str:
    """The help of ``bindrt NAME``, at 100 columns; ``bindrt`` is the front itself."""
    words = [] if name == "bindrt" else [name]
    done = subprocess.run(
        [sys.executable, "-m", "bindrt", *words, "--help"],
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def plain(page: str) -> str:
    """A page as all versions of Python print it; they break lines and name an option's value differently."""
    once = re.sub(r"(-\w) (\S+(?: \[\S+ \.\.\.\])?), (--[\w-]+ \2)", r"\1, \3", page)
    return " ".join(once.split())


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in NAMES:
        (FOLDER / f"{name}.txt").write_text(help_page(name), "utf-8")
