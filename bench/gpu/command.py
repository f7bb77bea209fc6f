"""Compare the GPU kernels with the CPU side, time them, and write ``bench/results/<device>.json``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.gpu import cases, check
from bench.paths import RESULTS, SIMULATED, slug
from bindrt import _core
from bindrt.benchmark.results import write_json


def main(arguments: Sequence[str]) -> int:
    """Exit status 0: all results are as on the CPU; 1: some are not; 2: there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m bench gpu", description=__doc__)
    parser.add_argument("--ready", action="store_true", help="only say whether a GPU can be used")
    parser.add_argument("--small", action="store_true", help="the tests' small inputs")
    parser.add_argument("--rounds", type=int, default=50, help="timed runs of each case")
    parser.add_argument("--json", type=Path, metavar="OUT", help="default: bench/results/<device>.json")
    args = parser.parse_args(arguments)
    if problem := _core.gpu.problem():
        print(f"no GPU to check: {problem}", file=sys.stderr)
        return 2
    simulated = _core.gpu.driver()["simulated"]
    print(f"{'SIMULATED, nothing is measured' if simulated else 'GPU'}: {headline()}")
    if args.ready:
        return 0
    report = check.check(cases.cases(small=args.small or simulated), args.rounds, print_case)
    out = args.json or (SIMULATED if simulated else RESULTS) / f"{slug(report['device']['name'])}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, report)
    bad = sum(not case["good"] for case in report["cases"])
    if missing := report["not_compared"]:
        print(f"NOT COMPARED, though they have kernels: {', '.join(missing)}")
    print(f"{len(report['cases'])} cases, {bad} failed; {out}")
    return 0 if report["good"] else 1


def headline() -> str:
    about = check.device()
    return f"{about['name']}, capability {about['capability']}, CUDA {about['cuda']}"


def print_case(found: dict[str, Any]) -> None:
    line = f"{found['op']:<9} {found['case']:<44}"
    if "error" in found:
        print(f"{line} FAILED: {found['error']}", flush=True)
        return
    line += f" {'' if found['good'] else 'FAILED: '}difference {found['difference']:.1e}"
    if "seconds" in found:
        share = found["share_of_bandwidth"]
        line += f"  {found['kernel_seconds'] * 1e6:8.1f} µs  {found['bytes_per_second'] / 1e9:7.1f} GB/s"
        line += f"  {share:4.0%} of the memory's" if share else ""
        line += f"  (with tables and copies {found['seconds']['median'] * 1e6:.1f} µs)"
    print(line, flush=True)
