"""An illegal address, memory that another library holds, a fork, an exit in flight, garbage while recording.

Each in a process of its own, which may take two minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.gpu import processes
from bench.gpu.adversities.cases import CASES
from bindrt import _core
from bindrt.benchmark.results import write_json

LIMIT = 120  # seconds


def main(arguments: Sequence[str]) -> int:
    """Exit status 0: all went as it must; 1: not all; 2: there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m bench gpu-adversities", description=__doc__)
    parser.add_argument("--case", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--here", action="store_true", help="the first case, in this process")
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    if args.here:
        print(CASES[args.case[0]]())
        return 0
    if problem := _core.gpu.problem():
        print(f"no GPU to check: {problem}", file=sys.stderr)
        return 2
    found = [run(name) for name in args.case]
    if args.json:
        write_json(args.json, {"simulated": _core.gpu.driver()["simulated"], "results": found})
    return 0 if all(each["good"] for each in found) else 1


def run(name: str) -> dict[str, Any]:
    """A case in a process; what it printed last."""
    command = [sys.executable, "-m", "bench", "gpu-adversities", "--here", "--case", name]
    found = {"case": name, **processes.run(command, LIMIT)}
    print(f"{name:<16} {'good' if found['good'] else 'FAILED'}: {processes.last_line(found)}", flush=True)
    return found
