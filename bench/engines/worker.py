"""One way, one encoder, in this process: ``python -m bench.engines.worker``.

Reads the request from the standard input: way, encoder, batches, rounds, bundle, checkpoint, naive (a graph).
Replies with the seconds of each run, by batch.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.engines.work import CAPTION
from bindrt.benchmark.json_process import open_replies
from bindrt.benchmark.timing import seconds_of
from bindrt.bundle import open_bundle
from bindrt.engines import EngineSettings
from bindrt.modalities.steps.constants import TEXT_END, TEXT_START
from bindrt.selection import choose, open_engine
from bindrt_export.peers import runners

Call = Callable[[np.ndarray], object]


def main() -> int:
    send = open_replies()
    request = json.loads(sys.stdin.readline())
    run = WAYS[request["way"]](request)
    seconds = {}
    for batch in request["batches"]:
        inputs = inputs_of(request, batch)
        run(inputs)
        seconds[str(batch)] = [seconds_of(lambda i=inputs: run(i)) for _ in range(request["rounds"])]
    send(seconds)
    return 0


def inputs_of(request: dict[str, Any], batch: int) -> np.ndarray:
    """Random, the same for each way. bindrt gets a text's tokens up to its end, the others all 77."""
    generator = np.random.default_rng(0)
    if request["way"] == "gemm":
        return np.full((1, 1), 0.5, np.float32)
    if request["encoder"] != "text":
        return generator.standard_normal((batch, *request["view"]), np.float32)
    ids = np.zeros((batch, 77), np.int64)
    ids[:, 0], ids[:, CAPTION - 1] = TEXT_START, TEXT_END
    ids[:, 1 : CAPTION - 1] = generator.integers(1000, 40000, (batch, CAPTION - 2))
    return ids[:, :CAPTION].copy() if request["way"].startswith("bindrt") else ids


def module_of(request: dict[str, Any]) -> Any:
    """The plain model over the checkpoint's weights."""
    from bench.torch_checkpoint import load_encoder  # torch, which a process that runs a graph does not load

    return load_encoder(Path(request["checkpoint"]), mapped=True).requires_grad_(False)


def eager(request: dict[str, Any]) -> Call:
    return runners.eager(module_of(request))


def compiled(request: dict[str, Any]) -> Call:
    return runners.compiled(module_of(request))


def export_naive(request: dict[str, Any]) -> Call:
    """Not a way: writes the graph that `ort` and `openvino` run."""
    runners.write_graph(module_of(request), Path(request["naive"]))
    return lambda inputs: None


def ort(request: dict[str, Any]) -> Call:
    return runners.onnxruntime(Path(request["naive"]))


def openvino(request: dict[str, Any]) -> Call:
    return runners.openvino(Path(request["naive"]))


def bindrt(request: dict[str, Any]) -> Call:
    bundle = open_bundle(request["bundle"])
    precision = "int8" if request["way"] == "bindrt-int8" else "fp32"
    files = choose(bundle, request["encoder"], "onnxruntime", precision, "cpu")
    if request["way"] == "bindrt-openvino":  # it runs the same files
        files = replace(files, engine="openvino")
    engine = open_engine(bundle, files, EngineSettings("cpu"))

    def run(inputs: np.ndarray) -> object:
        out = np.empty((len(inputs), bundle.manifest.embed_dim), np.float32)
        engine.run(inputs, out)
        return out

    return run


def gemm(request: dict[str, Any]) -> Call:
    from bench import gemm as product  # ONNX Runtime, which PyTorch's processes do not load

    session = product.session()
    a = np.full((product.SIDE, product.SIDE), 0.5, np.float32)
    return lambda inputs: session.run(None, {"a": a})


WAYS: dict[str, Callable[[dict[str, Any]], Call]] = {
    "eager": eager,
    "compile": compiled,
    "ort": ort,
    "openvino": openvino,
    "bindrt": bindrt,
    "bindrt-openvino": bindrt,
    "bindrt-int8": bindrt,
    "gemm": gemm,
    "export": export_naive,
}


if __name__ == "__main__":
    sys.exit(main())
