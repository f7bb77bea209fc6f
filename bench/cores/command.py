"""The command line of ``python -m bench cores``."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench.cores
from bench.cores import chart, lock, report
from bench.cores.items import CASES, made
from bench.cores.run import Effort, counts_up_to, measure
from bindrt import hardware
from bindrt.benchmark.machine import describe_machine, package_versions
from bindrt.benchmark.results import write_json


def main(arguments: Sequence[str]) -> int:
    """Prints each case as it is ready; ``--json`` and ``--plot`` keep them."""
    parser = argparse.ArgumentParser(prog="python -m bench cores", description=bench.cores.__doc__)
    parser.add_argument(
        "--case", nargs="+", choices=CASES, default=list(CASES), metavar="CASE", help="default: all"
    )
    parser.add_argument(
        "--threads",
        nargs="+",
        type=int,
        help="numbers of threads and processes; default: 1, 2, 4, … all cores",
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="of threads and processes, which take turns")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--plot", type=Path, metavar="OUT.svg")
    args = parser.parse_args(arguments)
    cores = max(1, int(hardware.cpu().usable_cores))
    counts = tuple(sorted({1, *args.threads})) if args.threads else counts_up_to(cores)
    lock.compiled()  # once, before many processes want it
    result: dict[str, Any] = {
        "machine": describe_machine(),
        "packages": package_versions("bindrt", "numpy", "pillow", "soundfile", "av", "tokenizers"),
        "settings": {
            "counts": list(counts),
            "seconds": args.seconds,
            "rounds": args.rounds,
            "lock": lock.has_lock(),
        },
        "cases": [],
    }
    print(f"{result['machine']['cpu']}, {cores} cores, load {result['machine']['load_before']:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        sources = made(args.case, Path(folder))
        for name in args.case:
            case = measure(name, sources, Effort(counts, args.seconds, args.rounds))
            result["cases"].append(case)
            print("\n".join(report.lines(case)), flush=True)
    result["machine"]["load_after"] = os.getloadavg()[0]
    if args.json:
        write_json(args.json, result)
    if args.plot:
        args.plot.write_text(chart.draw(result), encoding="utf-8")
    return 0
