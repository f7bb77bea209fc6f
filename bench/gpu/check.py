"""Run the cases: the difference from the CPU side, and on a real device the times."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from bench.gpu.cases import Array, Case
from bindrt import _core
from bindrt.benchmark.machine import describe_machine

#: The first rounds are not counted: clocks rise, memory is allocated.
WARM_UP = 10


def device(index: int = 0) -> dict[str, Any]:
    """The device, its driver and our kernels, as the results record them."""
    driver, kernels = _core.gpu.driver(), _core.build_info()["gpu_kernels"]
    found = dict(_core.gpu.devices()[index])
    target = _core.gpu.target(str(found["capability"]))
    return {
        **found,
        "cuda": f"{driver['version'] // 1000}.{driver['version'] % 1000 // 10}",
        "simulated": driver["simulated"],
        "kernels": {**kernels, "runs": target} if kernels else None,
        "host": platform.machine(),
    }


def difference(got: Array, want: Array) -> float:
    """The largest difference of two numbers; infinite where shapes, types or NaNs differ."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return float("inf")
    a, b = got.astype(np.float64), want.astype(np.float64)
    if np.array_equal(a, b, equal_nan=True):
        return 0.0
    apart = np.abs(a - b)
    return float(apart.max()) if np.isfinite(apart).all() else float("inf")


def run(case: Case, rounds: int, bandwidth: float) -> dict[str, Any]:
    """Run one case. The result never holds a time of the simulated driver.

    ``seconds`` are of the whole op, with the tables that the host makes and copies; ``kernels`` of each
    kernel alone, and ``kernel_seconds`` of all of them.
    """
    simulated = _core.gpu.driver()["simulated"]
    want = case.cpu()
    got, times = case.gpu(1 if simulated else WARM_UP + rounds)
    apart = difference(got, want)
    found: dict[str, Any] = {
        "op": case.op,
        "case": case.name,
        "difference": apart,
        "tolerance": case.tolerance,
        "good": apart <= case.tolerance,
    }
    if simulated:
        assert all(np.isnan(seconds).all() for seconds in (times["rounds"], *times["kernels"].values())), (
            "the simulated driver gave a time"
        )
        return found
    kernels = {name: spread(seconds) for name, seconds in times["kernels"].items()}
    together = sum(each["median"] for each in kernels.values())
    found |= {
        "seconds": spread(times["rounds"]),
        "kernels": kernels,
        "kernel_seconds": together,
        "bytes": case.bytes,
        "bytes_per_second": case.bytes / together,
        "share_of_bandwidth": case.bytes / together / bandwidth if bandwidth else None,
    }
    return found


def spread(seconds: Any) -> dict[str, Any]:
    """Median, fastest and slowest of the rounds after the first ones."""
    counted = [float(second) for second in seconds[WARM_UP:]]
    median = statistics.median(counted)
    return {"median": median, "fastest": min(counted), "slowest": max(counted), "rounds": len(counted)}


def not_compared(results: Iterable[dict[str, Any]]) -> list[str]:
    """Ops that have kernels in this build but no case here."""
    kernels = _core.build_info()["gpu_kernels"]
    ops = {op for name in kernels["kernels"] for op in ops_of(name)} if kernels else set()
    return sorted(ops - {found["op"] for found in results})


def ops_of(kernel: str) -> tuple[str, ...]:
    """The ops that a kernel, ``bindrt_<op>…``, serves."""
    if kernel == "bindrt_to_halves":
        return ("half",)
    op = kernel.split("_")[1]
    return ("depth", "thermal") if op == "map" else (op,)


def check(cases: Iterable[Case], rounds: int, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run all cases; ``tell`` gets each result as it is ready."""
    about = device()
    results = []
    for case in cases:
        try:
            found = run(case, rounds, float(about["bandwidth"]))
        except (_core.gpu.DriverError, MemoryError) as error:
            found = {"op": case.op, "case": case.name, "good": False, "error": str(error)}
        results.append(found)
        tell(found)
    report: dict[str, Any] = {
        "device": about,
        "good": bool(results) and all(r["good"] for r in results),
        "not_compared": not_compared(results),
    }
    if about["simulated"]:
        report["simulated"] = "compared on the CPU by tests/cudasim; nothing was measured"
    else:
        report |= {"date": time.strftime("%Y-%m-%d"), "machine": describe_machine()}
    return {**report, "cases": results}
