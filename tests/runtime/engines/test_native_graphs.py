"""Which graphs the engine native reads: bindrt's own, whatever its names and order; and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import FunctionProto, ModelProto, NodeProto, SparseTensorProto, TensorProto, helper, numpy_helper

from bindrt.engines import EngineSettings
from bindrt.engines.native import NativeEngine
from bindrt.engines.native.encoder import read_encoder
from bindrt.engines.native.graph import read_graph
from bindrt.errors import BundleError, EngineError
from support.native import DIM, native, onnxruntime, probes, rewritten, spec, vectors

HEADS = 2
VIEW = {"imu": (6, 2000), "text": (77,), "audio": (1, 128, 204)}
Change = Callable[[ModelProto], None]


@pytest.fixture
def graph(small_bundle: Path, tmp_path: Path) -> Path:
    """The IMU encoder's graph, to be changed; its weights lie beside it."""
    return beside(small_bundle, tmp_path, "imu")


def beside(bundle: Path, folder: Path, encoder: str) -> Path:
    source = bundle / "onnx" / "fp32" / f"{encoder}.onnx"
    for path in (source, source.with_suffix(".weights")):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder / source.name


def changed(graph: Path, change: Change) -> Path:
    model = onnx.load(str(graph), load_external_data=False)
    change(model)
    graph.write_bytes(model.SerializeToString())
    return graph


def read(graph: Path, heads: int = HEADS) -> None:
    read_encoder([graph, graph.with_suffix(".weights")], heads, VIEW[graph.stem])


def node(model: ModelProto, kind: str, place: int = 0) -> NodeProto:
    return [n for n in model.graph.node if n.op_type == kind][place]


def tensor(model: ModelProto, name: str) -> TensorProto:
    return next(t for t in model.graph.initializer if t.name == name)


def earlier_int8(model: ModelProto) -> None:
    """Ranges by magnitudes, as in bundles that were made before they were found by the most and the least."""
    made = []
    for each in model.graph.node:
        name, _, stage = each.name.rpartition("/")
        if stage == "most":
            made.append(helper.make_node("Abs", [each.input[0]], [f"{name}/magnitude"]))
            made.append(helper.make_node("ReduceMax", [f"{name}/magnitude", each.input[1]], [each.output[0]]))
        elif stage == "peak":
            made.append(helper.make_node("Max", [each.input[0], each.input[2]], each.output))
        elif stage == "scaled":
            made.append(helper.make_node("Div", [each.input[0], f"{name}/step"], each.output))
        elif stage not in ("least", "below", "levels"):
            made.append(each)
    model.graph.ClearField("node")
    model.graph.node.extend(made)
    model.graph.initializer.remove(tensor(model, "constant.levels"))


def test_int8_of_bundles_made_earlier(small_bundle: Path, tmp_path: Path) -> None:
    path = rewritten(small_bundle, "imu", "int8", tmp_path)
    rows = probes(small_bundle, "imu")[0]
    expected = vectors(native(small_bundle, path, "int8"), rows)
    changed(path, earlier_int8)
    np.testing.assert_array_equal(vectors(native(small_bundle, path, "int8"), rows), expected)
    cosine = (vectors(onnxruntime(small_bundle, path, "int8"), rows) * expected).sum(axis=1).min()
    assert cosine > 0.998


def test_heads_of_the_small_model(small_bundle: Path) -> None:
    assert spec(small_bundle, small_bundle / "onnx/fp32/imu.onnx", "fp32").heads == HEADS


@pytest.mark.parametrize("form", ["fp32", "fp16", "bf16", "int8", "int8-fixed"])
@pytest.mark.parametrize("encoder", ["text", "audio", "imu"])
def test_it_reads_what_the_onnx_package_reads(
    small_bundle: Path, encoder: str, form: str, tmp_path: Path
) -> None:
    path = small_bundle / "onnx" / "fp32" / f"{encoder}.onnx"
    if form != "fp32":
        path = rewritten(small_bundle, encoder, form, tmp_path)
    found, model = read_graph(path), onnx.load(str(path), load_external_data=False)
    assert [(n.inputs, n.output) for n in found.nodes] == [
        (tuple(n.input), n.output[0]) for n in model.graph.node
    ]
    for one, other in zip(found.nodes, model.graph.node, strict=True):
        assert one.kind == (f"{other.domain}:{other.op_type}" if other.domain else other.op_type)
        for attribute in other.attribute:
            value = helper.get_attribute_value(attribute)
            value = value.decode() if isinstance(value, bytes) else value
            assert one.attributes[attribute.name] == (tuple(value) if isinstance(value, list) else value)
    for each in model.graph.initializer:
        mine = found.tensors[each.name]
        assert mine.shape == tuple(each.dims)
        if isinstance(mine.place, bytes):
            assert mine.place == numpy_helper.to_array(each).tobytes()
        else:
            assert {e.key: e.value for e in each.external_data}["offset"] == str(mine.place.offset)


def rename_everything(model: ModelProto) -> None:
    for i, each in enumerate(model.graph.node):
        each.name = f"n{i}"
        for j, name in enumerate(each.output):
            if name == "embedding":
                continue
            for other in model.graph.node:
                other.input[:] = [f"v{i}" if value == name else value for value in other.input]
            each.output[j] = f"v{i}"


def constants_in_other_fields(model: ModelProto) -> None:
    for each in model.graph.initializer:
        if each.data_type == TensorProto.INT64 and not each.external_data:
            numbers = numpy_helper.to_array(each).reshape(-1).tolist()
            each.ClearField("raw_data")
            each.int64_data.extend(numbers)


def reorder_tensors(model: ModelProto) -> None:
    listed = list(model.graph.initializer)[::-1]
    model.graph.ClearField("initializer")
    model.graph.initializer.extend(listed)


def say_the_defaults_less(model: ModelProto) -> None:
    for each in model.graph.node:
        kept = [
            a for a in each.attribute if a.name not in ("stash_type", "allowzero", "approximate", "start")
        ]
        each.ClearField("attribute")
        each.attribute.extend(kept)


def add_what_nobody_reads(model: ModelProto) -> None:
    model.graph.node.insert(0, helper.make_node("Abs", ["input"], ["unread"]))


@pytest.mark.parametrize(
    "change",
    [
        rename_everything,
        constants_in_other_fields,
        reorder_tensors,
        say_the_defaults_less,
        add_what_nobody_reads,
    ],
)
def test_names_and_order_do_not_matter(small_bundle: Path, graph: Path, change: Change) -> None:
    rows = probes(small_bundle, "imu")[0]
    expected = vectors(native(small_bundle, graph, "fp32"), rows)
    changed(graph, change)
    np.testing.assert_array_equal(vectors(native(small_bundle, graph, "fp32"), rows), expected)
    np.testing.assert_allclose(vectors(onnxruntime(small_bundle, graph), rows), expected, atol=1e-5)


@pytest.mark.parametrize("encoder", ["imu", "text", "audio"])
def test_every_node_matters(small_bundle: Path, tmp_path: Path, encoder: str) -> None:
    path = beside(small_bundle, tmp_path, encoder)
    whole = path.read_bytes()
    for i in range(len(onnx.load_from_string(whole).graph.node)):
        path.write_bytes(whole)
        changed(path, lambda model, i=i: setattr(model.graph.node[i], "op_type", "Other"))  # type: ignore[misc]
        with pytest.raises(BundleError, match="native does not read this graph"):
            read(path)


@pytest.mark.parametrize("encoder", ["imu", "text", "audio"])
def test_every_input_of_a_node_matters(small_bundle: Path, tmp_path: Path, encoder: str) -> None:
    path = beside(small_bundle, tmp_path, encoder)
    whole = path.read_bytes()
    places = [
        (i, j) for i, n in enumerate(onnx.load_from_string(whole).graph.node) for j in range(len(n.input))
    ]
    for i, j in places[:: 1 + len(places) // 150]:
        path.write_bytes(whole)

        def other_input(model: ModelProto, i: int = i, j: int = j) -> None:
            given = model.graph.node[i].input
            given[j] = "stem.position" if given[j] == "input" else "input"

        changed(path, other_input)
        with pytest.raises(BundleError, match="native does not read this graph"):
            read(path)


def other_epsilon(model: ModelProto) -> None:
    (epsilon,) = (a for a in node(model, "LayerNormalization", 3).attribute if a.name == "epsilon")
    epsilon.f = 1e-3


def tanh_gelu(model: ModelProto) -> None:
    (way,) = (a for a in node(model, "Gelu").attribute if a.name == "approximate")
    way.s = b"tanh"


def swapped_weights(model: ModelProto) -> None:
    names = ["blocks.0.mlp.up.weight", "blocks.1.mlp.up.weight"]
    for each in model.graph.node:
        each.input[:] = [names[1 - names.index(n)] if n in names else n for n in each.input]


def no_class_token(model: ModelProto) -> None:
    tensor(model, "stem.class_token").name = "stem.token"
    for each in model.graph.node:
        each.input[:] = ["stem.token" if n == "stem.class_token" else n for n in each.input]


def a_function(model: ModelProto) -> None:
    model.functions.append(FunctionProto(name="Gelu", domain=""))


def a_sparse_tensor(model: ModelProto) -> None:
    model.graph.sparse_initializer.append(SparseTensorProto())


def a_name_twice(model: ModelProto) -> None:
    model.graph.node[5].output[0] = model.graph.node[4].output[0]


def a_tensor_twice(model: ModelProto) -> None:
    model.graph.initializer.append(tensor(model, "norm.weight"))


def a_tensor_of_doubles(model: ModelProto) -> None:
    tensor(model, "norm.weight").data_type = TensorProto.DOUBLE


def a_subgraph(model: ModelProto) -> None:
    model.graph.node[3].attribute.append(helper.make_attribute("body", helper.make_graph([], "g", [], [])))


@pytest.mark.parametrize(
    "change",
    [
        other_epsilon,
        tanh_gelu,
        swapped_weights,
        no_class_token,
        a_function,
        a_sparse_tensor,
        a_name_twice,
        a_tensor_twice,
        a_tensor_of_doubles,
        a_subgraph,
    ],
)
def test_foreign_graphs_are_refused(graph: Path, change: Change) -> None:
    read(graph)
    with pytest.raises(BundleError, match=r"native does not read this graph.*use engine='onnxruntime'"):
        read(changed(graph, change))


@pytest.mark.parametrize("heads", [1, 3, 4, 7])
def test_other_heads_than_the_graph_has(graph: Path, heads: int) -> None:
    with pytest.raises(BundleError, match="native does not read this graph"):
        read(graph, heads)


def test_no_graph_at_all(graph: Path) -> None:
    whole = graph.read_bytes()
    for content in (b"", b"\xff" * 100, whole[: len(whole) // 2], bytes(9 << 20)):
        graph.write_bytes(content)
        with pytest.raises(BundleError, match="native does not read this graph"):
            read(graph)


def place(name: str, **where: object) -> Change:
    def change(model: ModelProto) -> None:
        found = tensor(model, name)
        kept = {e.key: e.value for e in found.external_data} | {k: str(v) for k, v in where.items()}
        found.ClearField("external_data")
        for key, value in kept.items():
            found.external_data.add(key=key, value=value)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (place("norm.weight", location="../secret"), "does not list for it"),
        (place("norm.weight", location="imu.onnx"), "does not list for it"),
        (place("norm.weight", offset=1 << 50), "expects more than"),
        (place("norm.weight", offset="-4"), "not an offset"),
        (place("norm.weight", length=1 << 50), "expects more than"),
    ],
)
def test_tensors_elsewhere_are_refused(graph: Path, change: Change, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        read(changed(graph, change))


def larger(model: ModelProto) -> None:
    tensor(model, "projection.weight").dims[0] = 1 << 30


def huge(model: ModelProto) -> None:
    tensor(model, "projection.weight").dims[:] = [1 << 39, 1 << 39]


def narrower(model: ModelProto) -> None:
    tensor(model, "projection.weight").dims[1] = 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (larger, "projection.weight: does not lie in its file"),
        (huge, "projection.weight: its shape is out of range"),
        (narrower, "projection"),
        (place("norm.weight", offset=4), "norm.weight: does not begin at a multiple of 64 bytes"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    small_bundle: Path, graph: Path, change: Change, message: str
) -> None:
    given = spec(small_bundle, changed(graph, change), "fp32")
    with pytest.raises(EngineError, match=message):
        NativeEngine(given, EngineSettings("cpu"))


def test_weights_that_are_cut(small_bundle: Path, graph: Path) -> None:
    weights = graph.with_suffix(".weights")
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(BundleError, match="expects more than the 5000 bytes"):
        NativeEngine(spec(small_bundle, graph, "fp32"), EngineSettings("cpu"))


def test_files_that_change_while_they_are_in_use(small_bundle: Path, graph: Path) -> None:
    engine = NativeEngine(spec(small_bundle, graph, "fp32"), EngineSettings("cpu"))
    graph.with_suffix(".weights").write_bytes(b"")
    with pytest.raises(EngineError, match="was changed while it was in use"):
        engine.run(probes(small_bundle, "imu")[0], np.empty((1, DIM), np.float32))
