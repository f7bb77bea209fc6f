"""The command line of ``python -m bench streams``."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench.streams
from bench.streams import chart
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json

#: The parts by name; each is a module of this package.
PARTS = ("windows", "events", "mel", "many", "push", "latency", "start", "day")


def main(arguments: Sequence[str]) -> int:
    """Runs the parts that are asked for; ``--json`` and ``--plot`` keep what was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench streams", description=bench.streams.__doc__)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--plot", type=Path, metavar="OUT.svg")
    parts: dict[str, Any] = {name: importlib.import_module(f"bench.streams.{name}") for name in PARTS}
    for name, part in parts.items():
        part.add_options(parser.add_argument_group(f"{name}: {part.SUMMARY}"))
    options = parser.parse_args(arguments)
    result: dict[str, Any] = {"machine": describe_machine()}
    for name in options.part:
        result[name] = parts[name].run(options)
    result["machine"]["load_after"] = os.getloadavg()[0]
    if options.json:
        write_json(options.json, result)
    if options.plot:
        options.plot.write_text(chart.draw(result), encoding="utf-8")
    return 0
