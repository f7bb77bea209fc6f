"""Make constraints.txt: pinned versions for Python 3.10 to 3.14 on Linux, x86-64 and aarch64.

Existing pins are kept where they still fit; ``--upgrade`` takes the newest version of each package.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from uv_tool import GRID, ROOT, Environment, run_uv

LOCK = ROOT / "constraints.txt"
# gpu and rtx are left out: they exclude each other, and follow the machine's driver rather than a lock.
EXTRAS = ("export", "dev", "openvino", "index", "metrics", "microphone")
HEADER = "# Made by `make lock` from pyproject.toml; see docs/decisions/0002-lock.md. Do not edit.\n"
# True on every machine of the lock; uv writes them on every line.
ALWAYS = (r"python_full_version < '3\.15'", r"sys_platform == 'linux'", r"implementation_name != 'PyPy'")


def simplify(line: str) -> str:
    """The line without the parts of its marker that always hold on the machines of the lock."""
    name, _, marker = line.partition(" ; ")
    if all(_holds(line, environment) for environment in GRID):
        return name
    for always in ALWAYS:
        marker = re.sub(rf" and {always}|{always} and ", "", marker)
    short = f"{name} ; {marker}"
    for environment in GRID:
        if _holds(line, environment) != _holds(short, environment):
            raise SystemExit(f"lock: simplified {line!r} wrongly to {short!r} for {environment}")
    return short


def _holds(line: str, environment: Environment) -> bool:
    marker = Requirement(line).marker
    return marker is None or marker.evaluate(environment.markers)


def resolve(upgrade: bool) -> list[str]:
    """The pinned requirements as uv writes them."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "lock.txt"
        if LOCK.exists() and not upgrade:
            shutil.copy(LOCK, out)
        extras = [argument for extra in EXTRAS for argument in ("--extra", extra)]
        run_uv(
            ["pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.10", *extras]
            + ["--only-binary", ":all:", "--no-annotate", "--no-header", "--quiet", "-o", str(out)]
        )
        return [line for line in out.read_text().splitlines() if line and not line.startswith(("#", "-"))]


def main() -> int:
    parser = argparse.ArgumentParser(description="Make constraints.txt.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions of all packages")
    options = parser.parse_args()
    try:
        lines = resolve(options.upgrade)
    except subprocess.CalledProcessError as error:
        print(error.stderr, file=sys.stderr)
        return 1
    LOCK.write_text(HEADER + "".join(f"{simplify(line)}\n" for line in lines))
    print(f"{LOCK.name}: {len(lines)} pins")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
