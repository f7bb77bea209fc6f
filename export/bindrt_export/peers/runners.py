"""Runs a plain encoder in several libraries: each function here gives one from an input batch to its vectors.

torch is imported where it is used: a process that only runs a graph does not load it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bindrt.arrays import Array

if TYPE_CHECKING:
    from bindrt_export.architecture import Encoder

Runner = Callable[[Any], Any]


def eager(module: Encoder) -> Runner:
    """PyTorch as it is."""
    import torch

    def run(inputs: Array) -> Array:
        with torch.inference_mode():
            return module(torch.from_numpy(inputs)).numpy()  # type: ignore[no-any-return]

    return run


def compiled(module: Encoder) -> Runner:
    """``torch.compile`` with its defaults."""
    import torch

    return eager(torch.compile(module))  # type: ignore[arg-type]


def write_graph(module: Encoder, path: Path) -> None:
    """A plain ``torch.onnx.export``, weights beside the graph; what `onnxruntime` and `openvino` run."""
    import torch

    kind = torch.int64 if module.config.reads_tokens else torch.float32
    example = torch.zeros(2, *module.config.view, dtype=kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        module,
        (example,),
        str(path),
        input_names=["input"],
        output_names=["vectors"],  # torch names the token lookup "embedding" itself
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=1024)},),
        dynamo=True,
        external_data=True,
        verbose=False,
    )


def onnxruntime(graph: Path, threads: int | None = None) -> Runner:
    """ONNX Runtime on the CPU with its defaults."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, {"input": inputs})[0]


def openvino(graph: Path, threads: int | None = None) -> Runner:
    """OpenVINO on the CPU for latency; in float32, since its default on some processors is bfloat16."""
    import openvino as ov

    core = ov.Core()
    options: dict[str, object] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        options["INFERENCE_NUM_THREADS"] = threads
    request = core.compile_model(core.read_model(graph), "CPU", options).create_infer_request()
    return lambda inputs: request.infer({"input": inputs})[0]
