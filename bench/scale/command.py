"""``python -m bench scale``: mixed files through plain ``bind-embed``, Ray and Daft, in turns."""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.scale.files import SHARES, make
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json

COLUMNS = [word for name in SHARES for word in ("--column", f"{name}={name}")]


def ways(bundle: str, table: Path) -> dict[str, list[str]]:
    """The command line of each way; the output is its last argument."""
    embed = [sys.executable, "-m", "bindrt", "embed", bundle, str(table), *COLUMNS, "--on-error", "skip"]
    found = {"plain": [*embed, "-o"]}
    if importlib.util.find_spec("ray") is not None:
        for actors, cpus in ((1, 2), (2, 1)):
            options = ["--cluster", "ray", "--actors", str(actors), "--cpus", str(cpus)]
            found[f"ray, {actors} actor{'s' * (actors > 1)}"] = [*embed, *options, "-o"]
    if importlib.util.find_spec("daft") is not None:
        found["daft"] = [sys.executable, "-m", "bench.scale.daft_job", bundle, str(table)]
    return found


def seconds_of(command: list[str], output: Path, count: int) -> float:
    """Wall time of a whole command, with its start; every row must have a vector."""
    start = time.perf_counter()
    subprocess.run([*command, str(output)], check=True, capture_output=True)
    taken = time.perf_counter() - start
    columns = [f"{name}_embedding" for name in SHARES]
    rows = [pq.read_table(path, columns=columns) for path in sorted(output.glob("*.parquet"))]
    vectors = sum(len(table) - table[name].null_count for table in rows for name in columns)
    if vectors != count:
        raise SystemExit(f"{' '.join(command)}: {vectors} vectors of {count}")
    return taken


def measure(bundle: str, sizes: Sequence[int], rounds: int) -> dict[str, Any]:
    """Seconds of each way for each size; the ways take turns."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        for size in sizes:
            folder = Path(name) / str(size)
            folder.mkdir()
            table = make(folder, size)
            taken: dict[str, list[float]] = {}
            for turn in range(rounds):
                for way, command in ways(bundle, table).items():
                    output = folder / f"out-{way.replace(' ', '')}-{turn}"
                    taken.setdefault(way, []).append(seconds_of(command, output, size))
            found[str(size)] = {way: statistics.median(of) for way, of in taken.items()}
    return found


def rates(seconds: dict[str, Any], sizes: Sequence[int]) -> dict[str, float]:
    """Items a second from the smallest to the largest size: the start of a program is left out."""
    small, large = str(min(sizes)), str(max(sizes))
    more = max(sizes) - min(sizes)
    return {way: more / (seconds[large][way] - seconds[small][way]) for way in seconds[large]}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench scale", description=__doc__)
    parser.add_argument("--bundle", default="tiny")
    parser.add_argument("--sizes", type=int, nargs=2, default=(2000, 20_000), help="rows of two runs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=Path("bench/results/scale.json"))
    options = parser.parse_args(arguments)
    machine = describe_machine()
    seconds = measure(options.bundle, options.sizes, options.rounds)
    per_second = rates(seconds, options.sizes)
    for way, rate in per_second.items():
        whole = seconds[str(max(options.sizes))][way]
        print(
            f"{way:14} {rate:8.1f} items/s, {rate / per_second['plain']:.2f} of plain; {whole:.1f} s in all"
        )
    write_json(options.json, {"machine": machine, "seconds": seconds, "items_per_second": per_second})
    return 0
