"""Graphs in other precisions: what they hold, how far their vectors are from float32, what decides them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, numpy_helper

from bindrt.errors import ExportError, OptionError
from bindrt_export.precision import (
    EncoderTypes,
    LinearTypes,
    choose_types,
    narrow_input,
    require_supported,
    write_cpu_form,
    write_typed_form,
)
from bindrt_export.precision.graphs import linears
from bindrt_export.precision.survey import Survey, evening, layer_errors, rounded_up, run_survey
from bindrt_export.precision.tensors import CPU_WEIGHT, GraphTensors, per_channel
from bindrt_export.precision.typed import PACKED
from bindrt_export.verification.probes import probe_inputs

#: Smallest cosine to float32, on the golden small model; the export's own limits are wider.
COSINE = {"fp16": 0.99999, "bf16": 0.9999, "int8": 0.998, "int8-fixed": 0.998, "fp8": 0.99}
VIEW = {"imu": (6, 2000), "text": (77,), "audio": (1, 128, 204)}
Write = Callable[[Path, Path, EncoderTypes], None]


@pytest.fixture(scope="module", params=list(VIEW))
def graph(request: pytest.FixtureRequest, small_bundle: Path) -> Path:
    return small_bundle / "onnx" / "fp32" / f"{request.param}.onnx"


@pytest.fixture(scope="module")
def imu(small_bundle: Path) -> Path:
    return small_bundle / "onnx" / "fp32" / "imu.onnx"


def inputs(graph: Path) -> list[np.ndarray]:
    return list(probe_inputs(graph.stem, VIEW[graph.stem]).values())


def names(graph: Path) -> list[str]:
    return [name for name, _ in linears(onnx.load(str(graph), load_external_data=False))]


def types_of(graph: Path, kind: str) -> EncoderTypes:
    precision, _, fixed = kind.partition("-")
    return choose_types(precision, names(graph), run_survey(graph, inputs(graph)), fixed=bool(fixed))


def worst_cosine(graph: Path, other: Path) -> float:
    sessions = [ort.InferenceSession(path) for path in (graph, other)]
    found = []
    for one in inputs(graph):
        a, b = (s.run(["embedding"], {"input": one})[0][0].astype(np.float64) for s in sessions)
        found.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    return float(min(found))


def tensors(path: Path) -> dict[str, TensorProto]:
    return {t.name: t for t in onnx.load(str(path)).graph.initializer}


@pytest.mark.parametrize("kind", ["fp16", "bf16", "int8", "int8-fixed"])
def test_cpu_forms_stay_near_float32(graph: Path, kind: str, tmp_path: Path) -> None:
    target = tmp_path / "a.onnx"
    write_cpu_form(graph, target, types_of(graph, kind))
    onnx.checker.check_model(str(target))
    assert COSINE[kind] <= worst_cosine(graph, target) < 1.0 - 1e-12  # not float32 under another name
    assert target.with_suffix(".weights").stat().st_size < 0.65 * graph.with_suffix(".weights").stat().st_size


@pytest.mark.parametrize("kind", ["fp16", "int8-fixed", "fp8"])
def test_typed_forms_stay_near_float32(graph: Path, kind: str, tmp_path: Path) -> None:
    """ONNX Runtime computes their float16 parts in float32, between roundings to float16."""
    target = tmp_path / "a.onnx"
    write_typed_form(graph, target, types_of(graph, kind))
    onnx.checker.check_model(str(target), full_check=True)
    assert COSINE[kind] <= worst_cosine(graph, target) < 1.0 - 1e-12


@pytest.mark.parametrize("kind", ["fp16", "bf16", "int8-fixed", "fp8"])
def test_half_input_gives_the_same_vectors(graph: Path, kind: str, tmp_path: Path) -> None:
    """All that graphs of float16 do with their input is to round it; ids, and bfloat16, stay as they are.

    ONNX Runtime leaves out some of these roundings on a CPU, so the numbers are rounded before.
    """
    target = tmp_path / "a.onnx"
    write_typed_form(graph, target, types_of(graph, kind))
    before = target.read_bytes()
    if graph.stem == "text" or kind == "bf16":
        assert not narrow_input(target)
        assert target.read_bytes() == before
        return
    half = inputs(graph)[0].astype(np.float16)
    want = ort.InferenceSession(target).run(["embedding"], {"input": half.astype(np.float32)})[0]
    assert narrow_input(target)
    onnx.checker.check_model(str(target), full_check=True)
    found = ort.InferenceSession(target).run(["embedding"], {"input": half})[0]
    np.testing.assert_array_equal(found, want)
    assert not narrow_input(target)  # it is so already


@pytest.mark.parametrize("kind", ["fp16", "bf16", "int8-fixed", "fp8"])
def test_typed_forms_keep_what_needs_float32(graph: Path, kind: str, tmp_path: Path) -> None:
    target = tmp_path / "a.onnx"
    chosen = types_of(graph, kind)
    write_typed_form(graph, target, chosen)
    model = onnx.shape_inference.infer_shapes(onnx.load(str(target), load_external_data=False))
    values = [*model.graph.value_info, *model.graph.output, *model.graph.input]
    types = {v.name: v.type.tensor_type.elem_type for v in values}
    types |= {t.name: t.data_type for t in model.graph.initializer}
    made_by = {output: node for node in model.graph.node for output in node.output}
    half = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}.get(kind, TensorProto.FLOAT16)
    products = 0
    for node in model.graph.node:
        if node.op_type in ("LayerNormalization", "Softmax", "ReduceL2"):
            assert {types[name] for name in node.input if name in types} - {TensorProto.INT64} == {
                TensorProto.FLOAT
            }
        if node.op_type == "MatMul":
            products += 1
            assert {types[name] for name in node.input} == {half}, node.name
            if kind in ("int8-fixed", "fp8") and node.input[1].endswith("/wide"):
                assert {made_by[name].op_type for name in node.input} == {"DequantizeLinear"}
    quantized = [n for n in model.graph.node if n.op_type == "MatMul" and n.input[1].endswith("/wide")]
    parts = {name: PACKED.get(name.rpartition(".")[2], 1) for name in chosen.layers}
    assert len(quantized) == sum(parts[n] for n, layer in chosen.layers.items() if layer.is_quantized)
    for node in quantized:  # TensorRT would run a packed one in half precision
        assert not node.name.endswith((".qkv", ".key_value"))
    assert products >= len(chosen.layers)
    zeros = [t for name, t in tensors(target).items() if name.endswith(".zero")]
    assert all(not np.any(numpy_helper.to_array(t).astype(np.float32)) for t in zeros)
    assert types["embedding"] == TensorProto.FLOAT


@pytest.mark.parametrize("kind", ["int8", "int8-fixed"])
def test_int8_does_not_depend_on_neighbours(graph: Path, kind: str, tmp_path: Path) -> None:
    target = tmp_path / "a.onnx"
    write_cpu_form(graph, target, types_of(graph, kind))
    session = ort.InferenceSession(target)
    one = inputs(graph)[0]
    loud = one if one.dtype == np.int64 else one * np.float32(50)
    alone = session.run(None, {"input": one})[0]
    together = session.run(None, {"input": np.concatenate([loud, one, loud])})[0][1:2]
    assert float(np.abs(alone - together).max() / np.linalg.norm(alone)) < 1e-5


def test_ranges_of_tokens_are_found_in_one_pass(imu: Path, tmp_path: Path) -> None:
    """An Abs would write as much as it reads, only to be read again; a quotient costs more than a product."""
    target = tmp_path / "a.onnx"
    write_cpu_form(imu, target, types_of(imu, "int8"))
    nodes = list(onnx.load(str(target), load_external_data=False).graph.node)
    assert "Abs" not in {node.op_type for node in nodes}
    divided = [node.input[0] for node in nodes if node.op_type == "Div" and "/" in node.output[0]]
    assert set(divided) == {"constant.levels"}  # by a number for each token, not for each value
    assert len(divided) == sum(node.op_type == "QuantizeLinear" for node in nodes)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_magnitude_counts_on_both_sides(sign: int, imu: Path, tmp_path: Path) -> None:
    """Values of one sign only: the range is that of the least, or of the greatest."""
    target = tmp_path / "a.onnx"
    write_cpu_form(imu, target, types_of(imu, "int8"))
    loud = sign * np.abs(inputs(imu)[0])
    exact, found = (ort.InferenceSession(p).run(None, {"input": loud})[0][0] for p in (imu, target))
    assert found @ exact / np.linalg.norm(found) / np.linalg.norm(exact) >= COSINE["int8"]


def test_a_view_of_zeros_has_a_vector(imu: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.onnx"
    write_cpu_form(imu, target, types_of(imu, "int8"))
    found = ort.InferenceSession(target).run(None, {"input": np.zeros((1, 6, 2000), np.float32)})[0]
    assert np.isfinite(found).all()


def test_int8_weights_cannot_saturate(imu: Path, tmp_path: Path) -> None:
    """x86 without VNNI adds two products of bytes in 16 bits, saturating: two of ours always fit."""
    target = tmp_path / "a.onnx"
    write_cpu_form(imu, target, types_of(imu, "int8"))
    weights = [numpy_helper.to_array(t) for t in tensors(target).values() if t.data_type == TensorProto.INT8]
    assert weights
    assert max(int(np.abs(w.astype(np.int32)).max()) for w in weights) == CPU_WEIGHT
    assert np.iinfo(np.int16).max >= 2 * 255 * CPU_WEIGHT


@pytest.mark.parametrize("write", [write_cpu_form, write_typed_form])
def test_same_bytes_again(imu: Path, write: Write, tmp_path: Path) -> None:
    types = types_of(imu, "int8-fixed")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(imu, tmp_path / name / "x.onnx", types)
    for suffix in (".onnx", ".weights"):
        first, second = ((tmp_path / name / "x").with_suffix(suffix).read_bytes() for name in ("a", "b"))
        assert first == second


def test_sensitive_linears_stay_in_floats(imu: Path, tmp_path: Path) -> None:
    measured = run_survey(imu, inputs(imu))
    bad = names(imu)[2]
    measured = replace(measured, errors={**measured.errors, bad: {"int8": 0.5, "int8-fixed": float("nan")}})
    for fixed in (False, True):
        types = choose_types("int8", names(imu), measured, fixed=fixed)
        assert list(types.kept) == [bad]
        write_cpu_form(imu, tmp_path / "a.onnx", types)
        found = tensors(tmp_path / "a.onnx")
        assert f"{bad}.weight.half" in found
        assert f"{bad}.weight.int8" not in found
        assert worst_cosine(imu, tmp_path / "a.onnx") > COSINE["int8"]


def test_a_large_residual_stream_is_float32() -> None:
    calm = Survey({"a": 1.0}, 100.0, {}, 1)
    assert choose_types("fp16", ["a"], calm).residual == "float16"
    assert choose_types("fp16", ["a"], replace(calm, residual=40000.0)).residual == "float32"
    assert choose_types("fp16", ["a"], None).residual == "float32"
    assert choose_types("bf16", ["a"], calm).residual == "float32"


def test_survey_sees_the_largest_numbers(imu: Path) -> None:
    measured = run_survey(imu, inputs(imu))
    assert measured.ranges.keys() == set(names(imu))
    one = inputs(imu)[0]
    peak = max(float(np.abs(x).max()) for x in inputs(imu))
    assert peak <= measured.ranges["stem.patch"] <= peak * 1.01
    more = run_survey(imu, [*inputs(imu), one * 20])
    assert more.ranges["stem.patch"] > measured.ranges["stem.patch"]
    assert not imu.with_name("imu.watching.onnx").exists()


def test_errors_of_a_layer_are_what_eight_bits_do() -> None:
    generator = np.random.Generator(np.random.PCG64(0))
    x = generator.standard_normal((32, 256)).astype(np.float32)
    weight = generator.standard_normal((256, 64)).astype(np.float32)
    calm = layer_errors(x, weight, 4.0)
    assert all(0.001 < error < 0.08 for error in calm.values())
    x[:, 3] = 4000  # one channel takes all the levels
    spoiled = layer_errors(x, weight * (np.arange(256) != 3)[:, None], 4000.0)
    assert spoiled["int8"] > 0.3


def test_ranges_are_rounded_up_a_little() -> None:
    for value in (1e-3, 0.7, 1.0, 123.456, 7e4):
        assert value <= rounded_up(value) <= value * (1 + 2**-7)
        assert rounded_up(value) == rounded_up(np.nextafter(value, 0))


def test_channels_of_zeros_and_huge_ones() -> None:
    weight = np.array([[0, 1e-6, 3e4], [0, -2e-6, 1.0]], np.float32)
    for scale_kind in ("float32", "float16"):
        numbers, scale = per_channel(weight, "int8", 127.0, scale_kind)
        found = numbers * scale.astype(np.float32)
        assert np.abs(found - weight).max(axis=0).tolist() <= (np.abs(weight).max(axis=0) * 0.04).tolist()


def test_a_weight_that_half_cannot_hold_is_named(imu: Path, tmp_path: Path) -> None:
    model = onnx.load(str(imu))
    table = {t.name: t for t in model.graph.initializer}
    values = numpy_helper.to_array(table["projection.weight"]).copy()
    values[0, 0] = 1e6
    table["projection.weight"].CopyFrom(numpy_helper.from_array(values, "projection.weight"))
    onnx.save(model, str(tmp_path / "big.onnx"))
    types = EncoderTypes(
        "fp16", "float16", "float32", {n: LinearTypes("float16", "float16") for n in names(imu)}
    )
    with pytest.raises(ExportError, match=r"projection\.weight.*too large for float16"):
        write_typed_form(tmp_path / "big.onnx", tmp_path / "a.onnx", types)


def test_what_an_engine_cannot_run_names_who_can() -> None:
    require_supported("onnxruntime", "int8")
    with pytest.raises(OptionError, match="tensorrt-rtx do; onnxruntime runs fp32, fp16, bf16, int8"):
        require_supported("onnxruntime", "fp8")


def test_reading_what_lies_outside_the_graph(imu: Path) -> None:
    model = onnx.load(str(imu), load_external_data=False)
    whole = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(imu)).graph.initializer}
    source = GraphTensors(model, imu.parent)
    for name in source.tensors:
        np.testing.assert_array_equal(source.read(name), whole[name])


def test_uneven_channels_are_shared_out_with_the_weights() -> None:
    """Powers of two: down in the norm's gain, up in the rows of the linears that read it, or the reverse."""
    even = np.ones(16, np.float32)
    loud, large = even.copy(), even.copy()
    loud[3] = 64
    large[7] = 16
    found = evening(
        {"a": "norm", "b": "norm", "c": "calm"},
        {"a": even, "b": loud, "c": even},
        {"a": large, "b": even, "c": even},
    )
    assert found.keys() == {"norm", "a.weight", "b.weight"}
    assert found["a.weight"] == found["b.weight"] == [{3: 3, 7: -2}.get(i, 0) for i in range(16)]
    assert found["norm"] == [-n for n in found["a.weight"]]


def test_a_channel_that_is_never_used_is_evened_within_bounds() -> None:
    peak = np.ones(8, np.float32)
    peak[2] = 0
    found = evening({"a": "norm"}, {"a": peak}, {"a": np.ones(8, np.float32)})
    assert found["a.weight"] == [-8 if i == 2 else 0 for i in range(8)]


def test_first_blocks_that_stay_in_floats() -> None:
    linears = ["stem.patch.product", "blocks.0.mlp.up", "blocks.1.mlp.up", "blocks.10.mlp.up", "projection"]
    kept = {early: set(choose_types("int8", linears, None, early=early).kept) for early in (0, 1, 2)}
    assert kept == {0: set(), 1: set(linears[:2]), 2: set(linears[:3])}


@pytest.mark.parametrize("kind", ["int8", "int8-fixed"])
def test_evening_helps_and_changes_no_float(kind: str, imu: Path, tmp_path: Path) -> None:
    """A norm with one gain of 100, whose linear has a row as much smaller: the same vectors, hard in int8."""
    shutil.copy(imu.with_suffix(".weights"), tmp_path / "imu.weights")
    model = onnx.load(str(imu), load_external_data=False)
    where = {t.name: {e.key: e.value for e in t.external_data} for t in model.graph.initializer}
    flat = np.memmap(tmp_path / "imu.weights", "<f4", "r+")
    gain = int(where["blocks.0.norm_2.weight"]["offset"]) // 4
    weight = int(where["blocks.0.mlp.up.weight"]["offset"]) // 4
    columns = next(t.dims[1] for t in model.graph.initializer if t.name == "blocks.0.mlp.up.weight")
    flat[gain + 5] *= 100
    flat[weight + 5 * columns : weight + 6 * columns] /= 100
    flat.flush()
    hard = tmp_path / "imu.onnx"
    shutil.copy(imu, hard)
    assert worst_cosine(imu, hard) > 0.999999
    types = types_of(hard, kind)
    assert types.powers["blocks.0.norm_2.weight"][5] < 0
    assert not types.kept
    without = types_without_evening(hard, kind)
    assert "blocks.0.mlp.up" in without.kept
    write_cpu_form(hard, tmp_path / "a.onnx", types)
    assert worst_cosine(imu, tmp_path / "a.onnx") > COSINE[kind]


def types_without_evening(graph: Path, kind: str) -> EncoderTypes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bindrt_export.precision.survey.evening", lambda *_: {})
        return types_of(graph, kind)
