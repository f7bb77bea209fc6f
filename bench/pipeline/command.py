"""Overhead of the C++ core and of ``submit``, requests a second, real engines.

The real ones: items a second from files beside the engine on ready tensors, and beside a plain loop;
latency of texts while all other modalities run.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import bindrt
from bench.cpp import BUILT, build
from bench.pipeline import real_engines
from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json
from bindrt.precisions import CHOICES
from bindrt.preprocess import text as tokens

PARTS = ("simulated", "files", "text", "loop", "original")
#: The targets: microseconds, a share, and requests a second.
TARGETS = {"core p50": 15, "submit p50": 50, "submit p99": 300, "engine busy": 0.97, "requests": 50_000}


class SimulatedEngine:
    """Computes for a millisecond a batch without the GIL; ``seconds`` says how long it really took."""

    name = "simulated"
    device = "cpu"
    precision = "fp32"

    def __init__(self, max_batch: int) -> None:
        self.max_batch = max_batch
        self.seconds = 0.0
        self._busy = ctypes.CDLL(str(BUILT / "libbench_busy.so")).bindrt_bench_busy
        self._busy.argtypes, self._busy.restype = [ctypes.c_double], ctypes.c_double

    def run(self, inputs: np.ndarray, out: np.ndarray) -> None:
        self.seconds = self._busy(0.001)
        out[...] = 1


def model(engine: SimulatedEngine, **options: int) -> bindrt.Model:
    """bind-tiny with another engine: everything between ``submit`` and the engine is as users have it."""
    return bindrt.load(
        "tiny",
        modalities=["text"],
        pipeline=bindrt.PipelineOptions(**options),
        engines={"text": engine},
    )


def core(requests: int, spin_us: int) -> dict[str, Any]:
    """Run bench/pipeline/core.cpp; what it measured."""
    command = [str(BUILT / "bench_pipeline"), str(requests), str(spin_us)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def latency(requests: int) -> dict[str, float]:
    """Microseconds from ``submit`` to the result, one request at a time, without the engine's own time."""
    engine = SimulatedEngine(16)
    simulated, item = model(engine), bindrt.Prepared(tokens("a dog")[0])
    over = []
    for i in range(requests + 50):
        start = time.perf_counter()
        simulated.submit("text", item).result()
        seconds = time.perf_counter() - start - engine.seconds
        if i >= 50:
            over.append(seconds * 1e6)
    simulated.close()
    p50, p90, p99 = np.percentile(over, (50, 90, 99))
    return {"p50": float(p50), "p90": float(p90), "p99": float(p99)}


def throughput(requests: int) -> dict[str, float]:
    """Ready texts a second through one process, from one submitting thread."""
    simulated, item = model(SimulatedEngine(256), queue=4096), bindrt.Prepared(tokens("a dog")[0])
    simulated.submit("text", item).result()
    start = time.perf_counter()
    futures = [simulated.submit("text", item) for _ in range(requests)]
    for future in futures:
        future.result()
    seconds = time.perf_counter() - start
    found = simulated.stats()["text"]["pipeline"]
    simulated.close()
    return {"requests_per_second": requests / seconds, "rows_a_batch": found["rows"] / found["batches"]}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench pipeline", description=__doc__)
    parser.add_argument(
        "--requests", type=int, default=2000, help="one after the other; 25 times as many at once"
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="of each measurement, in turns; medians are shown"
    )
    parser.add_argument(
        "--part", nargs="+", choices=PARTS, default=PARTS[:-1],
        help="simulated: the core; files: beside the engine alone; text: among others; loop: beside a plain "
        "one; original: beside its libraries (7 GB to install)",
    )  # fmt: skip
    parser.add_argument("--bundle", default="tiny", help="the real engines' bundle")
    parser.add_argument("--modality", nargs="+", help="modalities of the real engines; default: all")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds of a run with a real engine")
    parser.add_argument("--rate", type=float, default=20.0, help="texts a second, at random times")
    parser.add_argument(
        "--texts", type=int, default=200, help="texts of a run; at least 100, since fewer have no p99"
    )
    parser.add_argument(
        "--precision", choices=CHOICES, default="fp32",
        help="bindrt's in the part original; beside all but fp32 the plain model computes in bf16",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="OUT")
    args = parser.parse_args(arguments)
    spin_us = bindrt.PipelineOptions().spin_us
    result: dict[str, Any] = {"machine": describe_machine(), "asked": TARGETS, "rounds": []}
    simulated = "simulated" in args.part
    if simulated:
        build("bench_pipeline", "bench_busy")
    for _ in range(args.rounds if simulated else 0):
        result["rounds"].append(
            {
                "core": core(args.requests, spin_us),
                "core_without_spin": core(args.requests, 0),
                "submit_overhead_us": latency(args.requests),
                "ready": throughput(args.requests * 25),
            }
        )
    if simulated:
        report(result)
    if set(args.part) - {"simulated"}:
        result["real"] = real_engines.measure_all(
            args.bundle,
            args.part,
            args.modality,
            args.seconds,
            min(args.rounds, 3),
            args.rate,
            args.texts,
            args.precision,
        )
        real_engines.report(result["real"])
    if args.json:
        write_json(args.json, result)
    return 0


def report(result: dict[str, Any]) -> None:
    def median(*path: str) -> str:
        values = []
        for found in result["rounds"]:
            for name in path:
                found = found[name]
            values.append(found)
        return f"{np.median(values):10.4g}   {min(values):.4g} to {max(values):.4g}"

    print(f"{result['machine']['cpu']}, load {result['machine']['load_before']:.1f}")
    print(f"{'':32}{'median':>10}   of {len(result['rounds'])} rounds (target)")
    rows = (
        ("core, overhead p50, us", ("core", "overhead_us", "p50"), TARGETS["core p50"]),
        ("  with spin_us=0", ("core_without_spin", "overhead_us", "p50"), TARGETS["core p50"]),
        ("  until its caller runs again", ("core", "overhead_woken_us", "p50"), None),
        ("  a wake-up alone", ("core", "wake_us", "p50"), None),
        ("  and one back", ("core", "wake_and_back_us", "p50"), None),
        ("core, engine busy, offline", ("core", "engine_busy_share"), TARGETS["engine busy"]),
        ("submit to result p50, us", ("submit_overhead_us", "p50"), TARGETS["submit p50"]),
        ("submit to result p99, us", ("submit_overhead_us", "p99"), TARGETS["submit p99"]),
        ("ready texts a second", ("ready", "requests_per_second"), TARGETS["requests"]),
    )
    for name, path, target in rows:
        print(f"{name:<32}{median(*path)}" + (f"   ({target:g})" if target is not None else ""))
