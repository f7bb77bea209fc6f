"""Runs the cases: every library prepares, then they take turns, round by round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from bench import gemm
from bench.kernels import media
from bench.kernels.cases import Case
from bench.kernels.environments import Library
from bench.kernels.worker_process import WorkerError, WorkerProcess
from bench.paths import BUILD

RESULTS = BUILD / "results"  # of each library, to compare
LOGS = BUILD / "logs"
_MOST_CALLS = 200
_SLOW = 0.1  # seconds; calls that take longer need no warming
_MACHINE = (
    Case("bandwidth", "copying 64 MB", "bandwidth", "limit", {}),
    Case("arithmetic", "matrix product of 2048", "arithmetic", "limit", {}),
)
_COPIED = 2 * 64_000_000  # bytes moved


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds, and seconds of each alternative in a round."""

    rounds: int
    seconds: float


FULL, QUICK = Effort(15, 0.04), Effort(3, 0.01)


@dataclass
class Entry:
    """One alternative of the current case, in its process."""

    worker: WorkerProcess
    offer: dict[str, Any]
    calls: int = 1
    warm: bool = True
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    difference: float | None = None

    @property
    def name(self) -> str:
        return str(self.offer["name"])


def start(
    libraries: Sequence[Library], threads: int, problems: list[dict[str, str]]
) -> Iterator[WorkerProcess]:
    """A process for each library whose environment is there; those that do not start become problems."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for library in libraries:
        name = "-".join((library.name, *map(str, library.options.values())))
        if library.environment is not None and not library.environment.ready:
            problem = f"the environment '{library.environment.name}' is not there"
            problems.append({"side": name, "problem": problem})
            continue
        try:
            yield WorkerProcess(
                library.python,
                library.module,
                threads,
                library.options,
                library.variables,
                LOGS / f"{name}.txt",
            )
        except WorkerError as error:
            problems.append({"side": name, "problem": str(error)})


def measure(
    cases: Iterable[Case], libraries: Sequence[Library], effort: Effort, say: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """All results; ``say`` gets each case as it is ready."""
    result: dict[str, Any] = {"packages": {}, "problems": [], "machine_limits": {}, "cases": []}
    ordered = sorted(cases, key=lambda case: case.threads)
    for threads, group in groupby(ordered, key=lambda case: case.threads):
        workers: list[WorkerProcess] = []
        try:
            workers.extend(start(libraries, threads, result["problems"]))
            for worker in workers:
                result["packages"].update(worker.packages)
            limits = machine_limits(workers, effort)
            result["machine_limits"][f"{threads} thread{'s' if threads > 1 else ''}"] = limits
            for case in group:
                result["cases"].append(measure_case(case, workers, effort, limits))
                say(result["cases"][-1])
        finally:
            for worker in workers:
                worker.close()
    return result


def machine_limits(workers: list[WorkerProcess], effort: Effort) -> dict[str, float]:
    """The machine's limits with these libraries: bytes and float operations a second."""
    found = {}
    for case, amount in zip(_MACHINE, (_COPIED, gemm.FLOPS), strict=True):
        entries = interleave(prepare(case, workers, []), effort)
        found[case.name] = amount / statistics.median(entries[0].seconds) if entries else 0.0
    return {"copy_bytes_per_second": found["bandwidth"], "float_operations_per_second": found["arithmetic"]}


def measure_case(
    case: Case, workers: list[WorkerProcess], effort: Effort, limits: dict[str, float]
) -> dict[str, Any]:
    """One case: timings, differences, ratios and shares of the limits."""
    problems: list[dict[str, str]] = []
    entries = prepare(case, workers, problems, effort)
    compare(case, entries)
    interleave(entries, effort)
    return summary(case, entries, problems, limits)


def prepare(
    case: Case, workers: list[WorkerProcess], problems: list[dict[str, str]], effort: Effort = FULL
) -> list[Entry]:
    """Every alternative for the case, run once; those that fail become problems."""
    inputs = {key: media.path(name) for key, name in case.inputs.items()}
    RESULTS.mkdir(parents=True, exist_ok=True)
    entries = []
    for worker in workers:
        worker.ask("forget")
        for offer in (offer for offer in worker.alternatives if offer["op"] == case.op):
            out = result_path(case, offer["name"])
            out.unlink(missing_ok=True)
            try:
                reply = worker.ask("prepare", op=case.op, name=offer["name"], inputs=inputs, out=str(out))
            except WorkerError as error:
                problems.append({"name": offer["name"], "problem": str(error)})
                continue
            calls = int(effort.seconds / max(reply["seconds"], 1e-9))
            slow = reply["seconds"] > _SLOW
            entries.append(Entry(worker, offer, min(max(calls, 1), _MOST_CALLS), warm=not slow))
    return entries


def result_path(case: Case, name: str) -> Path:
    safe = "".join(letter if letter.isalnum() else "_" for letter in name)
    return RESULTS / f"{case.name}-{safe}.npy"


def interleave(entries: list[Entry], effort: Effort) -> list[Entry]:
    """The entries, timed in turns."""
    for _ in range(effort.rounds):
        for entry in entries:
            reply = entry.worker.ask("time", name=entry.name, calls=entry.calls, warm=entry.warm)
            entry.seconds += reply["seconds"]
            entry.cpu_seconds += reply["cpu_seconds"]
    return entries


def compare(case: Case, entries: list[Entry]) -> None:
    """The largest difference of each result to ours; None if shapes differ or it has no result."""
    ours = next((e for e in entries if e.offer["role"] == "ours"), None)
    if ours is None:
        return
    expected = np.load(result_path(case, ours.name))
    for entry in entries:
        path = result_path(case, entry.name)
        if path.is_file() and (found := np.load(path)).shape == expected.shape:
            entry.difference = float(np.abs(found.astype(np.float64) - expected).max())


def summary(
    case: Case, entries: list[Entry], problems: list[dict[str, str]], limits: dict[str, float]
) -> dict[str, Any]:
    """The case as JSON holds it."""
    by_role: dict[str, list[Entry]] = {}
    for entry in entries:
        by_role.setdefault(entry.offer["role"], []).append(entry)
    found: dict[str, Any] = {
        "case": case.name,
        "title": case.title,
        "kind": case.kind,
        "threads": case.threads,
        "goal": case.goal,
        "tolerance": case.tolerance,
        "alternatives": [described(entry) for entry in entries],
        "problems": problems,
    }
    if "ours" in by_role:
        seconds = median(by_role["ours"][0])
        found["seconds"] = seconds
        if "original" in by_role:
            found["original_seconds"] = median(by_role["original"][0])
            found["ratio_to_original"] = found["original_seconds"] / seconds
            if case.goal is not None:
                found["goal_met"] = found["ratio_to_original"] >= case.goal
        libraries = by_role.get("library", [])
        if libraries:
            best = min(libraries, key=median)
            found |= {"best_library": best.name, "ratio_to_best_library": median(best) / seconds}
        if same := [entry for entry in libraries if entry.offer["same_work"]]:
            best = min(same, key=median)
            found |= {"best_same_work": best.name, "ratio_to_best_same_work": median(best) / seconds}
        found["limits"] = [
            {"name": entry.name, "seconds": median(entry), "share": median(entry) / seconds}
            for entry in by_role.get("limit", [])
        ]
        if case.flops and limits["float_operations_per_second"]:
            bound = case.flops / limits["float_operations_per_second"]
            found["limits"].append(
                {
                    "name": "arithmetic at the matrix product's rate",
                    "seconds": bound,
                    "share": bound / seconds,
                }
            )
    return found


def median(entry: Entry) -> float:
    return statistics.median(entry.seconds)


def described(entry: Entry) -> dict[str, Any]:
    """Name, role, what differs; seconds: median, quartiles, fastest, mean processor time of all threads."""
    times = entry.seconds
    quarters = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
    return {
        **{key: entry.offer[key] for key in ("name", "role", "same_work", "note")},
        "seconds": {
            "median": statistics.median(times),
            "lower_quartile": quarters[0],
            "upper_quartile": quarters[2],
            "fastest": min(times),
            "mean": statistics.fmean(times),
            "calls": len(times),
            "processor": entry.cpu_seconds / len(times),
        },
        "largest_difference_to_bindrt": entry.difference,
    }
