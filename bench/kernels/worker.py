"""The process of one library: ``python -m bench.kernels.worker MODULE THREADS OPTIONS``.

It answers requests in JSON lines. It needs only NumPy besides what its module imports.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np

from bench.kernels.alternative import REGISTRY, Alternative
from bench.replies import open_replies


def pin(threads: int) -> None:
    """Keeps this process, and so every thread that a library starts, on ``threads`` cores."""
    if hasattr(os, "sched_setaffinity"):  # Linux
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-threads:])


def main() -> int:
    module, threads, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    send = open_replies()
    pin(threads)
    try:
        library = importlib.import_module(module)
        name = library.configure(**options) if options else ""
    except Exception as error:  # a library that is missing or does not load is a result, not a crash
        send({"error": summary(error)})
        return 1
    worker = Worker(threads, name)
    send({"packages": versions(library.PACKAGES), "alternatives": worker.offered()})
    for line in sys.stdin:
        try:
            reply = worker.answer(json.loads(line))
        except Exception as error:
            reply = {"error": summary(error)}
        send(reply)
    return 0


def summary(error: Exception) -> str:
    text = str(error).strip() or "no message"
    return f"{type(error).__name__}: {text.splitlines()[0][:200]}"


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of those that are installed: some have no wheels for some machines."""
    found = {}
    for name in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


class Worker:
    """Holds the calls of the current case, and times them."""

    def __init__(self, threads: int, suffix: str = "") -> None:
        self.threads = threads
        self.suffix = suffix
        self.runs: dict[str, Callable[[], Any]] = {}

    def name(self, found: Alternative) -> str:
        return f"{found.name} {self.suffix}".strip()

    def offered(self) -> list[dict[str, Any]]:
        return [
            {
                "op": found.op,
                "name": self.name(found),
                "role": found.role,
                "same_work": found.same_work,
                "note": found.note,
            }
            for found in REGISTRY
        ]

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        requests = {"prepare": self.prepare, "time": self.time, "forget": self.forget}
        return requests[request.pop("do")](**request)

    def prepare(self, op: str, name: str, inputs: dict[str, Any], out: str) -> dict[str, Any]:
        """Runs once, saves the result, and says how long one warm call takes, in seconds."""
        (found,) = (a for a in REGISTRY if a.op == op and self.name(a) == name)
        run = found.make(**inputs, threads=self.threads)
        result = run()
        if result is not None:
            np.save(out, np.asarray(result))
        start = perf_counter()
        run()
        self.runs[name] = run
        return {"seconds": perf_counter() - start, "has_result": result is not None}

    def time(self, name: str, calls: int, warm: bool = True) -> dict[str, Any]:
        """Seconds of each call, and processor time of all; ``warm``: after a call that is not counted."""
        run = self.runs[name]
        if warm:
            run()
        seconds, cpu = [], process_time()
        for _ in range(calls):
            start = perf_counter()
            run()
            seconds.append(perf_counter() - start)
        return {"seconds": seconds, "cpu_seconds": process_time() - cpu}

    def forget(self) -> dict[str, Any]:
        """Ends the current case."""
        self.runs.clear()
        return {}


if __name__ == "__main__":
    sys.exit(main())
