"""`make test`: the tests in a few parts, each a process of its own.

They bring the native libraries of some three hundred extension modules, several of them with threads, event
loops and allocators of their own: more than any user has in one process. Options are pytest's; with a path
among them, pytest runs that alone, in one process.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = Path("tests") / "runtime"
#: Each begins a part of tests/runtime, whose folders and files are in alphabetic order.
BORDERS = ("preprocess", "sources")
#: pytest's exit codes.
PASSED, NOTHING = 0, 5


def parts() -> list[list[str]]:
    """pytest's paths and options for each part; together they are all tests."""
    found = [["tests", f"--ignore={RUNTIME}"]]
    begins = ("", *BORDERS)
    names = sorted(path.name for path in (ROOT / RUNTIME).iterdir() if not path.name.startswith(("_", ".")))
    for begin, end in zip(begins, (*BORDERS, None), strict=True):
        within = [name for name in names if begin <= name and (end is None or name < end)]
        found.append([str(RUNTIME / name) for name in within])
    return found


def is_path(word: str) -> bool:
    return not word.startswith("-") and (ROOT / word.split("::")[0]).exists()


def ending(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"


def main() -> int:
    given = sys.argv[1:]
    chosen = [[]] if any(map(is_path, given)) else parts()
    codes = []
    for part in chosen:
        words = [sys.executable, "-m", "pytest", "-q", *part, *given]
        codes.append(subprocess.run(words, cwd=ROOT, check=False).returncode)
    bad = [(part, code) for part, code in zip(chosen, codes, strict=True) if code not in (PASSED, NOTHING)]
    for part, code in bad:
        print(f"failed, {ending(code)}: pytest {' '.join(part)}", file=sys.stderr)
    return 1 if bad else min(codes)


if __name__ == "__main__":
    sys.exit(main())
