"""The command line of ``python -m bench kernels``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

import bench.kernels
from bench.kernels import chart, report, run
from bench.kernels.cases import CASES, chosen
from bench.kernels.environments import ENVIRONMENTS, LIBRARIES, install, levels_of_ours
from bench.paths import RESULTS, slug
from bindrt import _core
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json

LEVELS = ("baseline", "avx2", "avx512")


def main(arguments: Sequence[str]) -> int:
    """Measures, prints, and writes JSON and a chart; returns the exit status."""
    args = parse(arguments)
    console = Console()
    if not console.is_terminal:
        console.width = 130
    cases = chosen(args.only)
    if not cases:
        console.print(f"no case starts with {', '.join(args.only)}; there are:", *(c.name for c in CASES))
        return 2
    if not args.no_install:
        for environment in ENVIRONMENTS:
            if problem := install(environment, lambda text: console.print(text, style="dim")):
                report.warn(console, f"environment '{environment.name}': {problem}")
    found: dict[str, Any] = {"machine": describe_machine()}
    console.print(f"{found['machine']['cpu']}, {', '.join(found['machine']['features'])}", highlight=False)
    effort = run.QUICK if args.quick else run.FULL
    lower = LEVELS[: LEVELS.index(_core.cpu_level())]
    found["settings"] = {"quick": args.quick, "rounds": effort.rounds, "cpu_level": _core.cpu_level()}
    found |= run.measure(
        cases, (*LIBRARIES, *levels_of_ours(lower)), effort, lambda case: report.print_case(console, case)
    )
    found["share_of_core"] = report.undisturbed(found["cases"])
    report.print_summary(console, found)
    write(args, found, console)
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench kernels", description=bench.kernels.__doc__)
    parser.add_argument("--quick", action="store_true", help="a few calls of each, to see that all works")
    parser.add_argument(
        "--only", action="append", default=[], metavar="CASE", help="only cases that start so"
    )
    parser.add_argument("--no-install", action="store_true", help="measure only libraries that are installed")
    parser.add_argument(
        "--json", type=Path, metavar="OUT", help="after a full run: bench/results/kernels-CPU.json"
    )
    parser.add_argument("--svg", type=Path, metavar="OUT", help="after a full run: beside the JSON")
    return parser.parse_args(arguments)


def write(args: argparse.Namespace, found: dict[str, Any], console: Console) -> None:
    """Writes the files that were asked for; those in bench/results only after a full run of all cases."""
    default = RESULTS / f"kernels-{slug(found['machine']['cpu'])}.json"
    full = not args.quick and not args.only
    json_path = args.json or (default if full else None)
    svg_path = args.svg or (default.with_suffix(".svg") if full and not args.json else None)
    if json_path:
        write_json(json_path, found)
        console.print(f"wrote {json_path}", highlight=False)
    if svg_path:
        svg_path.write_text(chart.draw(found), encoding="utf-8")
        console.print(f"wrote {svg_path}", highlight=False)
