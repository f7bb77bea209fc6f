"""One start-up in this process: ``python -m bench.startup.worker``.

Reads the request from the standard input: way, source (a bundle or a checkpoint), encoder, inputs (a file),
again (runs after the first), threads. What a way needs is imported before anything is timed, and nothing that
it does not need, since the process's memory is measured.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from bench.replies import open_replies

#: Loads the encoder; gives the function that embeds.
Load = Callable[[], Callable[[np.ndarray], object]]


def bindrt(request: dict[str, Any]) -> Load:
    import onnxruntime  # noqa: F401 - not part of what is timed

    from bindrt.bundle import open_bundle
    from bindrt.engines import EngineSettings
    from bindrt.selection import choose, open_engine

    def load() -> Callable[[np.ndarray], object]:
        bundle = open_bundle(request["source"])
        out = np.empty((1, bundle.manifest.embed_dim), np.float32)
        files = choose(bundle, request["encoder"], "onnxruntime", "fp32", "cpu")
        engine = open_engine(bundle, files, EngineSettings("cpu", request["threads"] or None, request["way"]))
        return lambda inputs: engine.run(inputs, out)

    return load


def torch(request: dict[str, Any]) -> Load:
    import torch

    from bench.torch_checkpoint import load_encoder  # with the architecture, which is not timed either

    if request["threads"]:
        torch.set_num_threads(request["threads"])

    def load() -> Callable[[np.ndarray], object]:
        module = load_encoder(Path(request["source"]), mapped=False)

        def run(inputs: np.ndarray) -> object:
            with torch.inference_mode():
                return module(torch.from_numpy(inputs))

        return run

    return load


WAYS: dict[str, Callable[[dict[str, Any]], Load]] = {
    "fast-run": bindrt,
    "fast-start": bindrt,
    "torch": torch,
}


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and seconds of processor time."""
    start, used = perf_counter(), process_time()
    work()
    return perf_counter() - start, process_time() - used


def memory() -> dict[str, int]:
    """Bytes of this process: resident, and those that no file backs."""
    found = {}
    with open("/proc/self/smaps_rollup", encoding="ascii") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name in ("Rss", "Anonymous"):
                found[name.lower()] = 1024 * int(value.split()[0])
    return found


def main() -> int:
    send = open_replies()
    request = json.loads(sys.stdin.readline())
    load = WAYS[request["way"]](request)
    inputs = np.load(request["inputs"])
    runs: list[Callable[[np.ndarray], object]] = []

    def first() -> None:
        runs.append(load())
        runs[0](inputs)

    seconds, processor = timed(first)
    rounds = [timed(lambda: runs[0](inputs)) for _ in range(request["again"])]
    steady, steady_processor = (statistics.median(each) for each in zip(*rounds, strict=True))
    send(
        {
            "first": seconds,
            "first_processor": processor,
            "steady": steady,
            "steady_processor": steady_processor,
            **memory(),
        }
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
