"""The command line of ``python -m bench engines``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench.engines
from bench.engines import chart, gpu, run
from bench.paths import HUGE, RESULTS, SIMULATED, slug
from bindrt import _core
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json
from bindrt.bundle import open_bundle


def main(arguments: Sequence[str]) -> int:
    """Measures, prints, and writes JSON and a chart; returns the exit status."""
    args = parse(arguments)
    if not (args.bundle / "bundle.json").is_file():
        print(f"no bundle at {args.bundle}; bind-export {args.checkpoint} -o {args.bundle}", file=sys.stderr)
        return 2
    bundle = open_bundle(args.bundle)
    if args.gpu:
        return measure_gpu(args, bundle)
    if args.roofline:
        print(gpu.table(bundle, gpu.measured_in(RESULTS)))
        return 0
    found: dict[str, Any] = {"machine": describe_machine(), "cases": []}
    kept = json.loads(args.json.read_text("utf-8"))["cases"] if args.add and args.json.exists() else []
    print(f"{found['machine']['cpu']}, load {found['machine']['load_before']:.1f}")
    effort = run.Effort(args.turns, args.rounds, args.batch)
    for case in run.measure(bundle, args.checkpoint, args.encoder, args.way, effort):
        case["load"] = os.getloadavg()[0]
        found["cases"].append(case)
        print_case(case)
    found["cases"] = merged(kept, found["cases"])
    found["machine"]["load_after"] = os.getloadavg()[0]
    found["settings"] = {"turns": args.turns, "rounds": args.rounds}
    full = set(args.encoder) == set(run.ENCODERS) and set(args.way) == set(run.WAYS)
    path = args.json or (RESULTS / f"engines-{slug(found['machine']['cpu'])}.json" if full else None)
    if path:
        write_json(path, found)
        path.with_suffix(".svg").write_text(chart.draw(found), encoding="utf-8")
        print(f"wrote {path} and {path.with_suffix('.svg').name}")
    return 0


def merged(kept: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All cases in the usual order; a new result of a case replaces the old one."""
    cases = {(case["encoder"], case["batch"]): case for case in [*kept, *new]}
    return [cases[key] for key in sorted(cases, key=lambda key: (run.ENCODERS.index(key[0]), key[1]))]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench engines", description=bench.engines.__doc__)
    parser.add_argument("--bundle", type=Path, default=HUGE)
    parser.add_argument("--checkpoint", default="random:0", help="what the bundle was exported from")
    parser.add_argument("--encoder", nargs="+", choices=run.ENCODERS, default=run.ENCODERS)
    parser.add_argument("--way", nargs="+", choices=run.WAYS, default=run.WAYS)
    parser.add_argument("--batch", nargs="+", type=int, default=(1, 8))
    parser.add_argument("--turns", type=int, default=3, help="of each way; a process each")
    parser.add_argument("--rounds", type=int, default=3, help="timed runs a batch, of a turn")
    parser.add_argument("--json", type=Path, metavar="OUT", help="and OUT.svg; a full run: bench/results")
    parser.add_argument(
        "--add", action="store_true", help="keep the cases that OUT has of other encoders and batches"
    )
    parser.add_argument(
        "--roofline", action="store_true", help="only what GPUs could reach, calculated; and measured, if any"
    )
    parser.add_argument("--gpu", metavar="PRECISION", help="measure this machine's GPU instead")
    args = parser.parse_args(arguments)
    if args.add and not args.json:
        parser.error("--add adds to a file: give --json OUT")
    return args


def measure_gpu(args: argparse.Namespace, bundle: Any) -> int:
    if problem := _core.gpu.problem():
        print(f"no GPU to measure: {problem}", file=sys.stderr)
        return 2
    found = gpu.measure(bundle, args.gpu)
    folder = SIMULATED if found["simulated"] else RESULTS
    path = args.json or folder / f"engines-gpu-{slug(found['device'])}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found)
    print(
        "SIMULATED, nothing is measured" if found["simulated"] else gpu.table(bundle, gpu.measured_in(folder))
    )
    for name, entry in found["encoders"].items():
        if "problem" in entry:
            print(f"{name}: {entry['problem']}")
    return 1 if all("problem" in entry for entry in found["encoders"].values()) else 0


def print_case(case: dict[str, Any]) -> None:
    print(f"{chart.title(case)}: GEMM peak {case['gemm_gflops']:.0f} GFLOP/s")
    for name, way in case["ways"].items():
        ratio = f"{way['ratio_to_eager']:6.2f}× eager" if "ratio_to_eager" in way else ""
        print(f"  {name:<16} {1e3 * way['seconds']:8.1f} ms  {way['share_of_gemm']:5.0%} of GEMM  {ratio}")
    for name, problem in case["problems"].items():
        print(f"  {name:<16} does not run: {problem}", flush=True)
