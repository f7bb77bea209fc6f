"""Graphs rewritten for ONNX Runtime's GPU providers: half precision, and a kernel for each operation."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto

import bindrt
from bindrt.engines.cuda_graph import CudaGraph, cuda_graph
from bindrt.engines.onnx_wire import encoded
from bindrt_export.precision import choose_types, write_cpu_form
from bindrt_export.precision.graphs import linears
from support.cuda_kernels import bfloat16_vectors, element_types, left_to_cpu

TINY = Path(bindrt.__file__).parent / "data/tiny.bind/onnx/fp32"
ENCODERS = ("vision", "text", "audio", "depth", "thermal", "imu")
HALF = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
FLOATS = {TensorProto.FLOAT, *HALF.values()}


def written(folder: Path, encoder: str, precision: str) -> Path:
    """A graph of bind-tiny as a bundle has it in that precision, with its weights beside it."""
    target = folder / f"{encoder}.onnx"
    if precision == "fp32":
        for suffix in (".onnx", ".weights"):
            shutil.copy((TINY / encoder).with_suffix(suffix), folder)
        return target
    names = [name for name, _ in linears(onnx.load(str(TINY / target.name), load_external_data=False))]
    write_cpu_form(TINY / target.name, target, choose_types(precision, names, None))
    return target


def whole(made: CudaGraph, folder: Path) -> onnx.ModelProto:
    model = onnx.load_from_string(made.model)
    onnx.load_external_data_for_model(model, str(folder))
    onnx.checker.check_model(model)
    return model


def example(encoder: str, rows: int = 2) -> npt.NDArray[np.generic]:
    if encoder == "text":
        return bindrt.preprocess.text([f"{'a dog barks ' * i}at a bell" for i in range(rows)])
    model = ort.InferenceSession(str(TINY / f"{encoder}.onnx"))
    shape = [rows, *model.get_inputs()[0].shape[1:]]
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


def cosines(encoder: str, got: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    session = ort.InferenceSession(str(TINY / f"{encoder}.onnx"))
    want = session.run(None, {"input": example(encoder)})[0]
    norms = np.linalg.norm(got, axis=1) * np.linalg.norm(want, axis=1)
    return np.asarray((got * want).sum(axis=1) / norms)


@pytest.mark.parametrize(
    ("encoder", "precision"), [("text", "fp32"), *((encoder, "fp16") for encoder in ENCODERS)]
)
def test_vectors_stay(tmp_path: Path, encoder: str, precision: str) -> None:
    made = cuda_graph(written(tmp_path, encoder, precision), precision)
    options = ort.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(tmp_path))
    found = ort.InferenceSession(made.model, options).run(None, {"input": example(encoder)})[0]
    assert cosines(encoder, found).min() > (1 - 1e-6 if precision == "fp32" else 1 - 1e-5)


@pytest.mark.parametrize("encoder", ["text", "audio"])
def test_vectors_in_bfloat16(tmp_path: Path, encoder: str) -> None:
    made = cuda_graph(written(tmp_path, encoder, "bf16"), "bf16")
    found = bfloat16_vectors(whole(made, tmp_path), example(encoder))
    assert cosines(encoder, found).min() > 0.995  # the evaluator adds up in bfloat16 too, a GPU in float32


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_every_operation_has_a_kernel(tmp_path: Path, encoder: str, precision: str) -> None:
    """What is left to the CPU computes shapes, and no more."""
    made = cuda_graph(written(tmp_path, encoder, precision), precision)
    left = dict(left_to_cpu(whole(made, tmp_path)))
    assert set(left) <= made.small, left
    kinds = element_types(onnx.load_from_string(made.model))
    outputs = {node.name: node.output[0] for node in onnx.load_from_string(made.model).graph.node}
    assert all(kinds[outputs[name]] not in FLOATS for name in left)


def test_the_bundles_own_graph_would_need_the_cpu() -> None:
    """The list that the test above asks knows what has no kernel: the greatest token's place."""
    model = onnx.load(str(TINY / "text.onnx"), load_external_data=False)
    assert "ArgMax" in dict(left_to_cpu(model)).values()


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_what_is_computed_in_half(tmp_path: Path, encoder: str, precision: str) -> None:
    made = cuda_graph(written(tmp_path, encoder, precision), precision)
    model = onnx.load_from_string(made.model)
    kinds = element_types(model)
    found: dict[str, set[int]] = {}
    for node in model.graph.node:
        found.setdefault(node.op_type, set()).add(kinds[node.output[0]])
    half = HALF[precision]
    for kind in ("MatMul", "Softmax", "Gelu"):
        assert found[kind] == {half}
    for kind in ("LayerNormalization", "ReduceL2", "Clip", "Div"):
        assert found[kind] == {TensorProto.FLOAT}
    assert found["Add"] == {half, TensorProto.FLOAT}  # biases, and the residual stream
    convolution = half if precision == "fp16" else TensorProto.FLOAT  # no kernel for bfloat16 at opset 20
    assert found.get("Conv", {convolution}) == {convolution}
    assert kinds["embedding"] == TensorProto.FLOAT


@pytest.mark.parametrize(
    "content", [b"", b"\x08", b"no graph", encoded(7, memoryview(b"\x0a\x02\x12\x05")), b"\x3a\x01"]
)
def test_what_is_no_graph(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.onnx"
    path.write_bytes(content)
    with pytest.raises(bindrt.EngineError, match=r"text\.onnx: it is not a graph that bindrt prepares"):
        cuda_graph(path, "fp16")


def test_any_shortened_graph_is_an_error_or_a_graph(tmp_path: Path) -> None:
    content = (TINY / "imu.onnx").read_bytes()
    path = tmp_path / "imu.onnx"
    for end in range(0, len(content), 997):
        path.write_bytes(content[:end])
        with suppress(bindrt.EngineError):
            assert cuda_graph(path, "fp32").model
