"""Measures the cases: the lock, threads beside processes, lists; all in processes of their own."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.cores.items import ALLOWED, CASES
from bench.cores.prediction import items_a_second, speedup
from bench.paths import ROOT
from bindrt.benchmark.json_process import JsonProcess

#: Cores that nobody here may have, and for which the curve is predicted.
PREDICTED = (16, 32, 64)


@dataclass(frozen=True)
class Effort:
    """How long is measured.

    Attributes:
        counts: of threads and of processes.
        seconds: of one measurement; the lock is sampled for twice as long.
        rounds: of threads and processes, which take turns.
    """

    counts: tuple[int, ...]
    seconds: float
    rounds: int


def counts_up_to(cores: int) -> tuple[int, ...]:
    """1, 2, 4, … and all cores.

    Example:
        >>> counts_up_to(12)
        (1, 2, 4, 8, 12)
    """
    powers = [2**power for power in range(cores.bit_length())]
    return tuple(sorted({*(n for n in powers if n <= cores), cores}))


@contextmanager
def workers(count: int) -> Iterator[list[JsonProcess]]:
    started = [JsonProcess([sys.executable, "-m", "bench.cores.worker"], ROOT) for _ in range(count)]
    try:
        yield started
    finally:
        for each in started:
            each.close()


def measure(name: str, sources: dict[str, list[str]], effort: Effort) -> dict[str, Any]:
    """One case."""
    with workers(max(effort.counts)) as processes, ThreadPoolExecutor(len(processes)) as pool:

        def ask(some: Sequence[JsonProcess], do: str, **request: Any) -> list[dict[str, Any]]:
            return list(pool.map(lambda process: process.ask({"do": do, **request}), some))

        ask(processes, "open", case=name, sources=sources)
        first, seconds = processes[:1], effort.seconds
        lock = {
            "prepare": ask(first, "lock_of_preparing", seconds=2 * seconds)[0],
            "submit": ask(first, "lock_of_submitting", seconds=2 * seconds)[0],
        }
        lists = ask(first, "lists", seconds=2 * seconds)[0]
        curves: dict[str, dict[str, list[float]]] = {"threads": {}, "processes": {}}
        for _ in range(effort.rounds):
            for count in effort.counts:
                threads = ask(first, "prepare", threads=count, seconds=seconds)
                several = ask(processes[:count], "prepare", threads=1, seconds=seconds)
                for way, found in (("threads", threads), ("processes", several)):
                    curves[way].setdefault(str(count), []).append(sum(each["rate"] for each in found))
    return described({"case": name, "lock": lock, "lists": lists, **curves})


def described(found: dict[str, Any]) -> dict[str, Any]:
    """With what the case is, and what follows from its numbers."""
    case, lock = CASES[found["case"]], found["lock"]
    threads, processes = (
        {n: statistics.median(r) for n, r in found[w].items()} for w in ("threads", "processes")
    )
    submit, embed = (statistics.median(found["lists"][way]) for way in ("submit", "embed"))
    derived = {
        "modality": case.modality,
        "what": case.what,
        "allowed_seconds": ALLOWED.get(found["case"]),
        "speedup": {n: rate / threads["1"] for n, rate in threads.items()},
        "of_processes": {n: rate / processes[n] for n, rate in threads.items()},
        "embed_of_submit": embed / submit,
    }
    return {**found, **derived, "predicted": predicted(lock, 1 / threads["1"])}


def predicted(lock: dict[str, dict[str, Any]], seconds: float) -> dict[str, Any]:
    """By way and number of cores: items a second, and the share of what as many processes would do.

    Args:
        lock: by way, what :class:`bench.cores.lock.Held` says; empty where the interpreter has no lock.
        seconds: to prepare an item with one thread.
    """
    found: dict[str, Any] = {}
    for way, held in lock.items():
        if not held:
            continue
        locked = held["seconds"]
        whole = max(seconds - lock["prepare"]["seconds"] + locked, locked)  # what is not locked is the same
        found[way] = {
            str(cores): {
                "rate": items_a_second(locked, whole, cores),
                "of_processes": speedup(locked / whole, cores) / cores,
            }
            for cores in PREDICTED
        }
    return found
