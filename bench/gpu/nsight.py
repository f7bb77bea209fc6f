"""Nsight Compute's times of the GPU kernels beside ours: each op's first case, in a process of its own.

Both leave the clocks and the caches as they are. Ours are in the results of ``python -m bench gpu``.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.gpu import cases, check
from bench.paths import RESULTS, ROOT, slug
from bindrt import _core
from bindrt.benchmark.results import write_json

METRIC = "gpu__time_duration.sum"
UNITS = {"ns": 1e-9, "nsecond": 1e-9, "us": 1e-6, "usecond": 1e-6, "ms": 1e-3, "msecond": 1e-3, "s": 1.0}
OPTIONS = (
    "--csv",
    "--page",
    "raw",
    "--metrics",
    METRIC,
    "--clock-control",
    "none",
    "--cache-control",
    "none",
)
ROUNDS = 30
LIMIT = 120  # seconds of a process


def main(arguments: Sequence[str]) -> int:
    """Exit status 0: all were measured; 1: some were not; 2: there is no GPU, or no Nsight Compute."""
    parser = argparse.ArgumentParser(prog="python -m bench gpu-nsight", description=__doc__)
    parser.add_argument("--here", metavar="OP", help="run an op's first case once, in this process")
    parser.add_argument(
        "--json", type=Path, metavar="OUT", help="default: bench/results/nsight-<device>.json"
    )
    args = parser.parse_args(arguments)
    if args.here:
        first_cases()[args.here].gpu(1)
        return 0
    if problem := absence():
        print(problem, file=sys.stderr)
        return 2
    name = str(_core.gpu.devices()[0]["name"])
    results = []
    for op, case in first_cases().items():
        results.append(compare(op, case))
        print(line(results[-1]), flush=True)
    out = args.json or RESULTS / f"nsight-{slug(name)}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, {"device": check.device(), "results": results})
    return 0 if all("error" not in each for each in results) else 1


def absence() -> str:
    """Why nothing can be measured here; empty if it can."""
    if problem := _core.gpu.problem():
        return f"no GPU to check: {problem}"
    if _core.gpu.driver()["simulated"]:
        return "the driver is simulated: there is nothing to measure"
    return "" if shutil.which("ncu") else "Nsight Compute (ncu) is not on PATH"


def first_cases() -> dict[str, cases.Case]:
    """By op, in float32."""
    found: dict[str, cases.Case] = {}
    for case in cases.cases(small=False):
        found.setdefault(case.op, case)
    return found


def compare(op: str, case: cases.Case) -> dict[str, Any]:
    """By kernel, the median seconds of a launch: Nsight Compute's and ours."""
    found: dict[str, Any] = {"op": op, "case": case.name}
    command = ["ncu", *OPTIONS, sys.executable, "-m", "bench", "gpu-nsight", "--here", op]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
        )  # fmt: skip
        theirs = durations(done.stdout.splitlines())
    except (subprocess.TimeoutExpired, ValueError) as error:
        return {**found, "error": str(error)[:300]}
    if not theirs:
        return {**found, "error": f"ncu told no times: {(done.stdout + done.stderr).strip()[-300:]}"}
    _, times = case.gpu(check.WARM_UP + ROUNDS)
    ours = {name: check.spread(seconds)["median"] for name, seconds in times["kernels"].items()}
    return {**found, "kernels": {k: {"nsight": theirs.get(k), "ours": s} for k, s in ours.items()}}


def durations(lines: Iterable[str]) -> dict[str, float]:
    """By kernel, the median seconds of a launch, from what ``ncu --csv --page raw`` printed.

    Raises:
        ValueError: the unit is not known.
    """
    table = list(csv.reader(each for each in lines if each.startswith('"')))
    if len(table) < 3 or METRIC not in table[0]:  # names, units, then a launch a line
        return {}
    name, time = table[0].index("Kernel Name"), table[0].index(METRIC)
    if (unit := table[1][time]) not in UNITS:
        raise ValueError(f"ncu gives times in {unit!r}")
    found: dict[str, list[float]] = {}
    for row in table[2:]:
        found.setdefault(row[name].partition("(")[0], []).append(
            float(row[time].replace(",", "")) * UNITS[unit]
        )
    return {kernel: statistics.median(seconds) for kernel, seconds in found.items()}


def line(found: dict[str, Any]) -> str:
    text = f"{found['op']:<9} {found['case']:<40}"
    if "error" in found:
        return f"{text} FAILED: {found['error']}"
    parts = [
        f"{name} {'not seen' if both['nsight'] is None else format(1e6 * both['nsight'], '.1f')}"
        f" | {1e6 * both['ours']:.1f} µs"
        for name, both in found["kernels"].items()
    ]
    return f"{text} Nsight | ours: {', '.join(parts)}"
