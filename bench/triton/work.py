"""What a server of Triton's has done: processor time by kind of process, and calls by model."""

from __future__ import annotations

import json
import re
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psutil

from bench.triton.server import HOST, Triton

_MODEL = re.compile(r"/(\w+)/1/model\.py$")


@dataclass
class Work:
    """Counts so far, or between two times.

    Attributes:
        seconds: processor time by model, and of the server itself.
        calls: executions by model; several requests may be one.
    """

    seconds: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)

    def __sub__(self, before: Work) -> Work:
        return Work(self.seconds - before.seconds, self.calls - before.calls)

    def of(self, items: int) -> dict[str, Any]:
        """For each of so many items; what did nothing is left out."""
        return {
            "cpu_ms_per_item": {name: 1e3 * spent / items for name, spent in sorted(self.seconds.items())},
            "calls_per_item": {name: count / items for name, count in sorted(self.calls.items())},
        }


def work_so_far(triton: Triton) -> Work:
    """The work of a server since its start."""
    found = Work()
    server = psutil.Process(triton.pid)
    for process in (server, *server.children(recursive=True)):
        model = next(filter(None, map(_MODEL.search, process.cmdline())), None)
        times = process.cpu_times()
        found.seconds["server" if model is None else model[1]] += times.user + times.system
    with urllib.request.urlopen(f"http://{HOST}:{triton.port}/v2/models/stats", timeout=10) as answer:
        stats = json.load(answer)
    for each in stats["model_stats"]:
        found.calls[each["name"]] += int(each.get("execution_count", 0))
    return found
