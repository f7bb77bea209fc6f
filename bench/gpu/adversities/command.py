"""An illegal address, memory that another library holds, a fork, an exit in flight, garbage while recording.

Each in a process of its own, which may take two minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.gpu.adversities.cases import CASES
from bench.paths import ROOT
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
    begin = perf_counter()
    try:
        done = subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=LIMIT, check=False,
        )  # fmt: skip
        good, code, said = done.returncode == 0, done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        good, code, said = False, None, f"it did not end within {LIMIT} s"
    found = {
        "case": name,
        "good": good,
        "exit_code": code,
        "process_seconds": round(perf_counter() - begin, 1),
        "said": said.strip()[-2000:],
    }
    last = found["said"].splitlines()[-1] if found["said"] else ""
    print(f"{name:<16} {'good' if good else 'FAILED'}: {last}", flush=True)
    return found
