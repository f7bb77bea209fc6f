"""The process of one side: ``python -m bench.kernels.worker MODULE THREADS OPTIONS``.

It speaks JSON lines: requests on standard input, replies on the original standard output; whatever
libraries print goes to standard error. Needs only NumPy besides what its module imports.
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
from typing import Any, TextIO

import numpy as np

from bench.kernels import alternatives


def pin(threads: int) -> None:
    """Keeps this process, and so every thread that a library starts, on ``threads`` cores."""
    if hasattr(os, "sched_setaffinity"):  # Linux
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[-threads:])


def main() -> int:
    module, threads, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    pin(threads)
    try:
        side = importlib.import_module(module)
        name = side.configure(**options) if options else ""
    except Exception as error:  # a library that is missing or does not load is a result, not a crash
        send(replies, {"error": describe(error)})
        return 1
    server = Server(threads, name)
    send(replies, {"packages": versions(side.PACKAGES), "alternatives": server.offered()})
    for line in sys.stdin:
        try:
            reply = server.answer(json.loads(line))
        except Exception as error:
            reply = {"error": describe(error)}
        send(replies, reply)
    return 0


def send(replies: TextIO, reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


def describe(error: Exception) -> str:
    text = str(error).strip() or "no message"
    return f"{type(error).__name__}: {text.splitlines()[0][:200]}"


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Of those that are installed: some have no wheels for some machines."""
    found = {}
    for name in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


class Server:
    """Holds the calls of the case at hand, and times them."""

    def __init__(self, threads: int, suffix: str = "") -> None:
        self.threads = threads
        self.suffix = suffix
        self.runs: dict[str, Callable[[], Any]] = {}

    def name(self, found: alternatives.Alternative) -> str:
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
            for found in alternatives.REGISTRY
        ]

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        requests = {"prepare": self.prepare, "time": self.time, "forget": self.forget}
        return requests[request.pop("do")](**request)

    def prepare(self, op: str, name: str, inputs: dict[str, Any], out: str) -> dict[str, Any]:
        """Runs once, saves the result, and says how long one warm call takes, in seconds."""
        (found,) = (a for a in alternatives.REGISTRY if a.op == op and self.name(a) == name)
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
        """Ends the case at hand."""
        self.runs.clear()
        return {}


if __name__ == "__main__":
    sys.exit(main())
