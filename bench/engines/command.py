"""The command line of ``python -m bench engines``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench.engines
from bench import units
from bench.engines import chart, gpu, run
from bench.engines.ways import PRECISIONS, WAYS
from bench.paths import HUGE, RESULTS, SIMULATED, slug
from bindrt import _core
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json
from bindrt.bundle import open_bundle


def main(arguments: Sequence[str]) -> int:
    """Measures, prints, and writes JSON and a chart; returns the exit status."""
    args = parse(arguments)
    if not (args.bundle / "bundle.json").is_file():
        options = "--precision fp32 int8 --engine openvino"
        print(
            f"no bundle at {args.bundle}; bind-export {args.checkpoint} -o {args.bundle} {options}",
            file=sys.stderr,
        )
        return 2
    bundle = open_bundle(args.bundle)
    if args.gpu:
        return measure_gpu(args, bundle)
    if args.roofline:
        print(gpu.table(bundle, gpu.measured_in(RESULTS)))
        return 0
    found: dict[str, Any] = {"machine": describe_machine(), "cases": []}
    kept = json.loads(args.json.read_text("utf-8"))["cases"] if args.add and args.json.exists() else []
    peaks = units.of_this_machine()
    found["peaks"] = dataclasses.asdict(peaks)
    print(f"{found['machine']['cpu']}, load {found['machine']['load_before']:.1f}")
    print_peaks(peaks)
    effort = run.Effort(args.turns, args.rounds, args.batch, args.seconds, tuple(shlex.split(args.through)))
    ways = [name for name in args.way if WAYS[name].precision in args.precision]
    for case in run.measure(bundle, args.checkpoint, args.encoder, ways, effort, peaks):
        case["load"] = os.getloadavg()[0]
        found["cases"].append(case)
        print_case(case)
    found["cases"] = merged(kept, found["cases"])
    found["machine"]["load_after"] = os.getloadavg()[0]
    found["settings"] = {"turns": args.turns, "rounds": args.rounds}
    full = set(args.encoder) == set(run.ENCODERS) and set(ways) == set(WAYS)
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
    parser.add_argument("--way", nargs="+", choices=WAYS, default=tuple(WAYS))
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--batch", nargs="+", type=int, default=(1, 8))
    parser.add_argument("--turns", type=int, default=3, help="of each way; a process each")
    parser.add_argument("--rounds", type=int, default=3, help="timed runs a batch, of a turn")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a turn's runs of a batch, at most")
    parser.add_argument(
        "--through", default="", metavar="COMMAND", help="starts each process, for example 'taskset -c 0,1'"
    )
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


def print_peaks(peaks: units.Peaks) -> None:
    for precision, unit in peaks.units.items():
        print(f"  {precision:<5} {unit.operations / 1e9:9.0f} GOP/s, {unit.name}, {peaks.threads} threads")
    print(f"  read  {peaks.bytes / 1e9:9.1f} GB/s")


def print_case(case: dict[str, Any]) -> None:
    print(chart.title(case))
    for precision in PRECISIONS:
        for name, way in case["ways"].items():
            if way["precision"] == precision:
                print(line(name, way))
        if precision in case["limits"]:
            limit = case["limits"][precision]
            print(f"  {'limit ' + precision:<24} {1e3 * limit['seconds']:8.1f} ms  {limit['by']}")
    for name, problem in case["problems"].items():
        print(f"  {name:<24} does not run: {problem}", flush=True)


def line(name: str, way: dict[str, Any]) -> str:
    parts = [f"  {name:<24} {1e3 * way['seconds']:8.1f} ms"]
    for key, text in (
        ("ratio_to_eager", "{:6.2f}× eager"),
        ("ratio_to_best_peer", "{:6.2f}× the best peer"),
        ("share_of_limit", "{:5.0%} of the limit"),
        ("least_cosine", "cosine {:.5f}"),
        ("chosen", "{}"),
    ):
        if key in way:
            parts.append(text.format(way[key]))
    return "  ".join(parts)
