"""``python -m bench.engines.sides``: one way, one encoder, in this process; prints seconds as JSON.

Reads the request from standard input: way, encoder, batches, rounds, bundle, checkpoint, naive (a graph),
threads.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bindrt_export.peers import ways

CAPTION = 10  # tokens, start and end among them
Run = Callable[[np.ndarray], object]


def main() -> int:
    request = json.load(sys.stdin)
    run = WAYS[request["way"]](request)
    seconds = {}
    for batch in request["batches"]:
        inputs = inputs_of(request, batch)
        run(inputs)
        rounds = []
        for _ in range(request["rounds"]):
            start = perf_counter()
            run(inputs)
            rounds.append(perf_counter() - start)
        seconds[str(batch)] = rounds
    print(json.dumps(seconds))
    return 0


def inputs_of(request: dict[str, Any], batch: int) -> np.ndarray:
    """Random, the same for each way; of text bindrt gets the tokens up to the end."""
    generator = np.random.default_rng(0)
    if request["way"] == "gemm":
        return np.full((1, 1), 0.5, np.float32)
    if request["encoder"] != "text":
        return generator.standard_normal((batch, *request["view"]), np.float32)
    ids = np.zeros((batch, 77), np.int64)
    ids[:, 0], ids[:, CAPTION - 1] = 49406, 49407
    ids[:, 1 : CAPTION - 1] = generator.integers(1000, 40000, (batch, CAPTION - 2))
    return ids[:, :CAPTION].copy() if request["way"].startswith("bindrt") else ids


def module_of(request: dict[str, Any]) -> Any:
    """The plain model over the checkpoint's weights."""
    import torch

    from bindrt_export.architecture import Encoder, EncoderConfig

    path = Path(request["checkpoint"])
    numbers = json.loads(Path(f"{path}.json").read_text("utf-8"))
    config = EncoderConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in numbers.items()})
    with torch.device("meta"):
        module = Encoder(config)
    module.load_state_dict(torch.load(path, weights_only=True, mmap=True), assign=True)
    return module.eval().requires_grad_(False)


def eager(request: dict[str, Any]) -> Run:
    return ways.eager(module_of(request))


def compiled(request: dict[str, Any]) -> Run:
    return ways.compiled(module_of(request))


def export_naive(request: dict[str, Any]) -> Run:
    """Not a way: writes the graph that `ort` and `openvino` run."""
    ways.write_naive(module_of(request), Path(request["naive"]))
    return lambda inputs: None


def ort(request: dict[str, Any]) -> Run:
    return ways.onnxruntime(Path(request["naive"]))


def openvino(request: dict[str, Any]) -> Run:
    return ways.openvino(Path(request["naive"]))


def bindrt(request: dict[str, Any]) -> Run:
    from dataclasses import replace

    from bindrt.bundle import open_bundle
    from bindrt.engines import EngineSettings
    from bindrt.selection import choose, open_engine

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


def gemm(request: dict[str, Any]) -> Run:
    from bench import gemm as product

    session = product.session()
    a = np.full((product.SIDE, product.SIDE), 0.5, np.float32)
    return lambda inputs: session.run(None, {"a": a})


WAYS: dict[str, Callable[[dict[str, Any]], Run]] = {
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
