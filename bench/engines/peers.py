"""How the peers are opened: each function gives one from an input batch to its vectors.

What a peer needs is imported in it: a process that runs a graph does not load torch. A quantised graph is
made once, beside the plain one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.engines.inputs import inputs_of
from bindrt_export.peers import runners

Request = dict[str, Any]
Call = Callable[[np.ndarray], np.ndarray]
#: Inputs that nncf.quantize takes ranges from.
SAMPLES = 8


def plain_module(request: Request) -> Any:
    """Our plain module over the checkpoint's weights, mapped."""
    from bench.torch_checkpoint import load_encoder

    return load_encoder(Path(request["checkpoint"]), mapped=True).requires_grad_(False)


def module_of(request: Request) -> Any:
    """The module that PyTorch's own ways run."""
    from bench.engines.usual import usual

    return usual(plain_module(request))


def eager(request: Request) -> Call:
    return runners.eager(module_of(request))


def compiled(request: Request) -> Call:
    return runners.eager(compile_module(module_of(request)))


def compile_module(module: Any) -> Any:
    """For each shape of its own, so that no batch is slowed down by another's."""
    import torch

    return torch.compile(module, dynamic=False)


def eager_bf16(request: Request) -> Call:
    return in_bf16(module_of(request))


def compiled_bf16(request: Request) -> Call:
    return in_bf16(module_of(request), compile_module)


def in_bf16(module: Any, prepared: Callable[[Any], Any] = lambda module: module) -> Call:
    """Weights and arithmetic in bfloat16; inputs and vectors are converted."""
    import torch

    run = prepared(module.to(torch.bfloat16))

    def call(inputs: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(inputs)
        with torch.inference_mode():
            found: torch.Tensor = run(given.to(torch.bfloat16) if given.is_floating_point() else given)
            return found.float().numpy()

    return call


def torch_int8(request: Request) -> Call:
    import torch

    return runners.eager(
        torch.ao.quantization.quantize_dynamic(module_of(request), {torch.nn.Linear}, torch.qint8)
    )


def torchao_int8(request: Request) -> Call:
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_

    module = module_of(request)
    quantize_(module, Int8DynamicActivationInt8WeightConfig())
    return runners.eager(compile_module(module))


def export_naive(request: Request) -> Call:
    """Not a way: writes the graph that the others run."""
    runners.write_graph(plain_module(request), Path(request["naive"]))
    return lambda inputs: inputs


def ort(request: Request) -> Call:
    return runners.onnxruntime(Path(request["naive"]))


def ort_int8(request: Request) -> Call:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with made_once(request, "model.onnx") as (made, path):
        if not made:
            quantize_dynamic(
                request["naive"], path, weight_type=QuantType.QInt8, per_channel=True,
                use_external_data_format=True, extra_options={"MatMulConstBOnly": True},
            )  # fmt: skip
    return runners.onnxruntime(final(request, "model.onnx"))


def openvino(request: Request) -> Call:
    return runners.openvino(Path(request["naive"]))


def openvino_bf16(request: Request) -> Call:
    return in_openvino(Path(request["naive"]), "bf16")


def nncf_weights(request: Request) -> Call:
    import nncf
    import openvino as ov

    with made_once(request, "model.xml") as (made, path):
        if not made:
            graph = ov.Core().read_model(request["naive"])
            ov.save_model(nncf.compress_weights(graph, mode=nncf.CompressWeightsMode.INT8_SYM), path)
    return in_openvino(final(request, "model.xml"), "f32", {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "64"})


def nncf_int8(request: Request) -> Call:
    import nncf
    import openvino as ov

    with made_once(request, "model.xml") as (made, path):
        if not made:
            samples = [{"input": row[None]} for row in inputs_of(request, SAMPLES)]
            graph = ov.Core().read_model(request["naive"])
            options = {"model_type": nncf.ModelType.TRANSFORMER, "subset_size": SAMPLES}
            ov.save_model(nncf.quantize(graph, nncf.Dataset(samples), **options), path)
    return in_openvino(final(request, "model.xml"), "f32")


def in_openvino(graph: Path, precision: str, options: dict[str, str] | None = None) -> Call:
    """For latency; ``precision`` is what operations compute in that are not quantised."""
    import openvino as ov

    core = ov.Core()
    settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY", **(options or {})}
    request = core.compile_model(core.read_model(graph), "CPU", settings).create_infer_request()
    return lambda inputs: request.infer({"input": inputs})[0]


def final(request: Request, name: str) -> Path:
    """Where a way's quantised graph lies."""
    return Path(request["naive"]).with_suffix("") / request["way"] / name


@contextmanager
def made_once(request: Request, name: str) -> Iterator[tuple[bool, Path]]:
    """Whether the graph is there, and where to write it: a folder that takes its place when it is whole."""
    target = final(request, name).parent
    if target.exists():
        yield True, target / name
        return
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, ignore_cleanup_errors=True) as folder:
        yield False, Path(folder) / name
        os.rename(folder, target)


OPENERS: dict[str, Callable[[Request], Call]] = {
    "eager": eager,
    "compile": compiled,
    "ort": ort,
    "openvino": openvino,
    "eager-bf16": eager_bf16,
    "compile-bf16": compiled_bf16,
    "openvino-bf16": openvino_bf16,
    "torch-int8": torch_int8,
    "torchao-int8": torchao_int8,
    "ort-int8": ort_int8,
    "nncf-weights-int8": nncf_weights,
    "nncf-int8": nncf_int8,
    "export": export_naive,
}
