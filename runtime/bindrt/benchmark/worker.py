"""The process that runs one system: ``python -m bindrt.benchmark.worker NAME``.

It answers requests in JSON lines. The first request says what to open; each later one is a command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bindrt.benchmark import registry, scenarios
from bindrt.benchmark.arrivals import poisson
from bindrt.benchmark.inputs import open_items
from bindrt.benchmark.json_process import Message, open_replies
from bindrt.benchmark.machine import package_versions
from bindrt.benchmark.systems import STAGES, System
from bindrt.errors import Error, OptionError
from bindrt.hardware import peak_memory


class Worker:
    """A system with its items; each command is one method."""

    def __init__(self, system: System, items: scenarios.Items) -> None:
        self.system = system
        self.items = items

    def answer(self, request: Message) -> Message:
        commands: dict[str, Callable[[Message], Message]] = {
            "vectors": self.vectors,
            "load": self.load,
            "server": self.server,
            "memory": self.memory,
        }
        return commands[request["do"]](request)

    def vectors(self, request: Message) -> Message:
        """The vector of each modality's first item: systems must agree, or they do different work."""
        return {m: self.system.submit(m, given[0], 0).result().tolist() for m, given in self.items.items()}

    def load(self, request: Message) -> Message:
        """A run of ``single`` or ``offline``."""
        modalities = request["modalities"]
        before = {m: self.system.stages(m) for m in modalities}
        if request["scenario"] == "single":
            run = scenarios.single(
                self.system, self.items, modalities, request["seconds"], request["priorities"]
            )
        else:
            run = scenarios.offline(
                self.system, self.items, modalities, request["seconds"], request["in_flight"],
                request["priorities"],
            )  # fmt: skip
        stages = {m: means(before[m], self.system.stages(m)) for m in modalities}
        return {**asdict(run), "stages": stages}

    def server(self, request: Message) -> Message:
        """A trial at a rate."""
        arrivals = poisson(request["rate"], request["count"], request["modalities"], request["seed"])
        trial = scenarios.server(
            self.system, self.items, arrivals, request["rate"], request["bound"], request["priorities"]
        )
        return asdict(trial)

    def memory(self, request: Message) -> Message:
        """The largest number of bytes that this process had in memory so far."""
        return {"peak": peak_memory()}


def means(before: dict[str, tuple[int, float]], after: dict[str, tuple[int, float]]) -> dict[str, float]:
    """Mean seconds of each stage between two readings of the counters."""
    found = {}
    for stage in STAGES:
        if stage in after:
            count, seconds = (a - b for a, b in zip(after[stage], before.get(stage, (0, 0)), strict=True))
            found[stage] = seconds / count if count else 0.0
    return found


def serve(name: str) -> int:
    """Answer requests until the standard input ends.

    The first request has ``bundle``, ``sources`` (items by modality), ``tensors``, ``engine``, ``precision``,
    ``threads``, ``batch``, ``wait`` and ``folder`` (for temporary files).
    """
    send = open_replies()
    provider = registry.provider(name)
    worker: Worker | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if worker is None:
                system = provider.open(request)
                worker = Worker(system, open_items(request["sources"], request["tensors"]))
                packages = package_versions(*provider.packages)
                send({"about": system.about, "packages": packages, "chosen": dict(system.chosen)})
            else:
                send(worker.answer(request))
        except Error as error:
            send({"error": as_message(error)})
    if worker is not None:
        worker.system.close()
    return 0


def as_message(error: Error) -> dict[str, Any]:
    return {
        "item": error.item,
        "problem": error.problem,
        "remedy": error.remedy,
        "wrong_use": isinstance(error, OptionError),
    }


if __name__ == "__main__":
    try:
        sys.exit(serve(sys.argv[1]))
    except KeyboardInterrupt:  # the process that asks prints the message
        sys.exit(130)
