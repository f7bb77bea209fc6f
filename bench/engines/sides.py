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
    import torch

    module = module_of(request)

    def run(inputs: np.ndarray) -> object:
        with torch.inference_mode():
            return module(torch.from_numpy(inputs))

    return run


def compiled(request: dict[str, Any]) -> Run:
    import torch

    module = torch.compile(module_of(request))

    def run(inputs: np.ndarray) -> object:
        with torch.inference_mode():
            return module(torch.from_numpy(inputs))

    return run


def export_naive(request: dict[str, Any]) -> Run:
    """Not a way: writes the graph that `ort` and `openvino` run."""
    import torch

    module = module_of(request)
    text = request["encoder"] == "text"
    example = torch.zeros(2, 77, dtype=torch.int64) if text else torch.zeros(2, *request["view"])
    path = Path(request["naive"])
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        module,
        (example,),
        str(path),
        input_names=["input"],
        output_names=["embedding"],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=1024)},),
        dynamo=True,
        external_data=True,
        verbose=False,
    )
    return lambda inputs: None


def ort(request: dict[str, Any]) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(request["naive"], providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, {"input": inputs})


def openvino(request: dict[str, Any]) -> Run:
    import openvino

    core = openvino.Core()
    # Float32 as the others: its default on some processors is bfloat16.
    model = core.compile_model(
        core.read_model(request["naive"]),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"},
    )
    asked = model.create_infer_request()
    return lambda inputs: asked.infer({"input": inputs})


def bindrt(request: dict[str, Any]) -> Run:
    from dataclasses import replace

    from bindrt.bundle import open_bundle
    from bindrt.engines import Settings, choose, open_engine

    bundle = open_bundle(request["bundle"])
    files = choose(bundle, request["encoder"], "onnxruntime", "fp32", "cpu")
    if request["way"] == "bindrt-openvino":  # it runs the same files
        files = replace(files, engine="openvino")
    engine = open_engine(bundle, files, Settings("cpu"))

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
    "gemm": gemm,
    "export": export_naive,
}


if __name__ == "__main__":
    sys.exit(main())
