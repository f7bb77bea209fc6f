"""One system in a process of its own, asked in JSON lines; the process of bindrt's own sides.

``python -m bindrt.benchmark.side`` reads what to open from the first line, then a command a line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bindrt.benchmark import scenarios
from bindrt.benchmark.arrivals import poisson
from bindrt.benchmark.facts import packages
from bindrt.benchmark.inputs import open_items
from bindrt.benchmark.systems import STAGES, LoopSystem, ModelSystem, System
from bindrt.errors import Error, OptionError
from bindrt.hardware import peak_memory
from bindrt.loading import load
from bindrt.pipeline import PipelineOptions

Request = dict[str, Any]
Reply = dict[str, Any]


class Side:
    """A system with its items; each command is one function."""

    def __init__(self, system: System, items: scenarios.Items) -> None:
        self.system = system
        self.items = items

    def answer(self, request: Request) -> Reply:
        commands: dict[str, Callable[[Request], Reply]] = {
            "vectors": self.vectors,
            "load": self.load,
            "server": self.server,
            "memory": self.memory,
        }
        return commands[request["do"]](request)

    def vectors(self, request: Request) -> Reply:
        """The vector of each modality's first item: sides must agree, or they do different work."""
        return {m: self.system.submit(m, given[0], 0).result().tolist() for m, given in self.items.items()}

    def load(self, request: Request) -> Reply:
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

    def server(self, request: Request) -> Reply:
        """A trial at a rate."""
        arrivals = poisson(request["rate"], request["count"], request["modalities"], request["seed"])
        trial = scenarios.server(
            self.system, self.items, arrivals, request["rate"], request["bound"], request["priorities"]
        )
        return asdict(trial)

    def memory(self, request: Request) -> Reply:
        """Bytes at most resident so far."""
        return {"peak": peak_memory()}


def means(before: dict[str, tuple[int, float]], after: dict[str, tuple[int, float]]) -> dict[str, float]:
    """Mean seconds of each stage between two looks at it."""
    found = {}
    for stage in STAGES:
        if stage in after:
            count, seconds = (a - b for a, b in zip(after[stage], before.get(stage, (0, 0)), strict=True))
            found[stage] = seconds / count if count else 0.0
    return found


def open_ours(request: Request) -> System:
    """bindrt's pipeline, or the plain loop over its parts."""
    options = {"max_wait_us": request["wait"], "max_batch": request["batch"]}
    model = load(
        request["bundle"],
        engine=request["engine"],
        precision=request["precision"],
        modalities=list(request["sources"]),
        threads=request["threads"],
        pipeline=PipelineOptions(**{name: value for name, value in options.items() if value is not None}),
    )
    return LoopSystem(model) if request["way"] == "loop" else ModelSystem(model)


def serve(open_system: Callable[[Request], System], versions: tuple[str, ...]) -> int:
    """The process's main function: until standard input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print is no reply

    def send(reply: Reply) -> None:
        replies.write(json.dumps(reply) + "\n")
        replies.flush()

    side: Side | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if side is None:
                system = open_system(request)
                side = Side(system, open_items(request["sources"], request["tensors"]))
                send({"about": system.about, "packages": packages(*versions)})
            else:
                send(side.answer(request))
        except Error as error:
            wrong_use = isinstance(error, OptionError)
            text = {"item": error.item, "problem": error.problem, "remedy": error.remedy}
            send({"error": {**text, "wrong_use": wrong_use}})
    if side is not None:
        side.system.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(serve(open_ours, ("bindrt", "numpy", "onnxruntime", "openvino")))
    except KeyboardInterrupt:  # the process that asks says so
        sys.exit(130)
