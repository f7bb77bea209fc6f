"""Graphs are untrusted: they read no file but their weights, and what ONNX Runtime refuses is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, SparseTensorProto, TensorProto, helper

from bindrt.engines import EngineSettings, EngineSpec
from bindrt.engines.onnx_file import External, external_locations, external_tensors
from bindrt.engines.onnxruntime import OnnxRuntimeEngine
from bindrt.errors import BundleError, EngineError

VALUES = np.arange(16, dtype=np.float32).reshape(4, 4)
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
OUTSIDE = "../../etc/passwd"


def tensor(location: str | None = None, name: str = "w", **external: object) -> TensorProto:
    """4 × 4 numbers, in the graph or, with a location, elsewhere."""
    if location is None:
        return helper.make_tensor(name, FLOAT, (4, 4), VALUES.reshape(-1))
    made = TensorProto(name=name, data_type=FLOAT, dims=(4, 4), data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **external}.items():
        made.external_data.add(key=key, value=str(value))
    return made


def graph(
    *initializers: TensorProto,
    nodes: list[Any] | None = None,
    inputs: list[Any] | None = None,
    outputs: list[Any] | None = None,
) -> GraphProto:
    nodes = nodes or [helper.make_node("MatMul", ["input", "w"], ["embedding"])]
    inputs = inputs or [helper.make_tensor_value_info("input", FLOAT, ["b", 4])]
    outputs = outputs or [helper.make_tensor_value_info("embedding", FLOAT, ["b", 4])]
    return helper.make_graph(nodes, "encoder", inputs, outputs, list(initializers))


def model(made: GraphProto, domain: str = "") -> ModelProto:
    opsets = [helper.make_opsetid("", 20)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(made, opset_imports=opsets, ir_version=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a graph stands beside its weights, and beside a file that is not its own."""
    VALUES.tofile(tmp_path / "w.weights")
    VALUES.tofile(tmp_path / "other.weights")
    return tmp_path


def open_graph(folder: Path, content: ModelProto | bytes) -> OnnxRuntimeEngine:
    path = folder / "imu.onnx"
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    return OnnxRuntimeEngine(
        EngineSpec([path, folder / "w.weights"], "imu", "float32", 4, "fp32"), EngineSettings("cpu", 1)
    )


def run(engine: OnnxRuntimeEngine, rows: int = 2) -> np.ndarray:
    out = np.full((rows, 4), np.nan, np.float32)
    engine.run(np.ones((rows, 4), np.float32), out)
    return out


@pytest.fixture
def unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime must not even be asked."""

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("ONNX Runtime was given the graph")

    monkeypatch.setattr(ort, "InferenceSession", asked)


@pytest.mark.parametrize("encoder", ["vision", "text", "audio", "depth", "thermal", "imu"])
def test_exported_graphs_refer_to_their_weights_alone(small_bundle: Path, encoder: str) -> None:
    path = small_bundle / f"onnx/fp32/{encoder}.onnx"
    assert external_locations(path) == {f"{encoder}.weights"}
    by_onnx = {
        (e["location"], int(e["offset"]), int(e["length"]))
        for t in onnx.load(path, load_external_data=False).graph.initializer
        if t.external_data and (e := {p.key: p.value for p in t.external_data})
    }
    assert {(t.location, t.offset, t.length) for t in external_tensors(path)} == by_onnx
    assert len(by_onnx) > 20


def test_weights_beside_the_graph_are_read(folder: Path) -> None:
    for made in (tensor("w.weights"), tensor("w.weights", offset=0, length=64), tensor()):
        rows = run(open_graph(folder, model(graph(made))), 1)
        np.testing.assert_array_equal(rows, VALUES.sum(axis=0, keepdims=True))


@pytest.mark.parametrize(
    "location",
    [OUTSIDE, "/etc/passwd", "other.weights", "./w.weights", "sub/../w.weights", "W.weights", "w.weights ",
     "w.weights\0", "imu.onnx", "", ".", "*/_ORT_MEM_ADDR_/*", "file://w.weights", "w" * 5000],
)  # fmt: skip
@pytest.mark.usefixtures("unopened")
def test_every_other_location_is_refused(folder: Path, location: str) -> None:
    with pytest.raises(BundleError, match=r"imu\.onnx: the graph refers to .*does not list for it") as caught:
        open_graph(folder, model(graph(tensor(location))))
    assert len(str(caught.value)) < 300


def in_subgraph(bad: TensorProto, depth: int) -> ModelProto:
    inner = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "inner", [], [info("y")], [bad])
    plain = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "plain", [], [info("y")])
    for _ in range(depth):
        node = helper.make_node("If", ["c"], ["y"], then_branch=plain, else_branch=inner)
        inner = helper.make_graph([node], "outer", [], [info("y")])
    return model(inner)


def info(name: str) -> Any:
    return helper.make_tensor_value_info(name, FLOAT, None)


def in_sparse(bad: TensorProto, part: str) -> ModelProto:
    made = model(graph(tensor()))
    sparse = SparseTensorProto(values=tensor(), indices=tensor(), dims=(4, 4))
    getattr(sparse, part).CopyFrom(bad)
    made.graph.sparse_initializer.append(sparse)
    return made


def in_attribute(bad: TensorProto, field: str) -> ModelProto:
    made = model(graph(tensor()))
    attribute = AttributeProto(name="value", type=AttributeProto.TENSOR)
    if field in ("sparse_tensor", "sparse_tensors"):
        sparse = SparseTensorProto(values=bad, indices=tensor(), dims=(4, 4))
        if field == "sparse_tensor":
            attribute.sparse_tensor.CopyFrom(sparse)
        else:
            attribute.sparse_tensors.append(sparse)
    elif field == "t":
        attribute.t.CopyFrom(bad)
    elif field == "tensors":
        attribute.tensors.extend([tensor(), bad])
    else:
        attribute.graphs.extend([graph(tensor()), graph(bad)])
    made.graph.node[0].attribute.append(attribute)
    return made


def in_function(bad: TensorProto, default: bool) -> ModelProto:
    made = model(graph(tensor()), "local")
    function = FunctionProto(name="f", domain="local", output=["y"])
    value = helper.make_attribute("value", bad)
    if default:
        function.attribute_proto.append(value)
    else:
        function.node.append(helper.make_node("Constant", [], ["y"], value=bad))
    made.functions.append(function)
    return made


def in_training(bad: TensorProto, part: str) -> ModelProto:
    made = model(graph(tensor()))
    getattr(made.training_info.add(), part).CopyFrom(graph(bad))
    return made


PLACES: dict[str, Callable[[TensorProto], ModelProto]] = {
    "second initializer": lambda bad: model(graph(tensor(), bad)),
    "subgraph": lambda bad: in_subgraph(bad, 1),
    "deep subgraph": lambda bad: in_subgraph(bad, 14),
    "sparse values": lambda bad: in_sparse(bad, "values"),
    "sparse indices": lambda bad: in_sparse(bad, "indices"),
    **{f"attribute {f}": lambda bad, f=f: in_attribute(bad, f)  # type: ignore[misc]
       for f in ("t", "tensors", "graphs", "sparse_tensor", "sparse_tensors")},
    "function": lambda bad: in_function(bad, False),
    "function default": lambda bad: in_function(bad, True),
    "training initialization": lambda bad: in_training(bad, "initialization"),
    "training algorithm": lambda bad: in_training(bad, "algorithm"),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.usefixtures("unopened")
def test_no_place_in_a_graph_hides_a_location(folder: Path, place: str) -> None:
    with pytest.raises(BundleError, match=r"refers to '\.\./\.\./etc/passwd'"):
        open_graph(folder, PLACES[place](tensor(OUTSIDE, name="bad")))


@pytest.mark.usefixtures("unopened")
def test_graphs_nested_without_end_are_refused(folder: Path) -> None:
    with pytest.raises(BundleError, match="nested too deeply"):
        open_graph(folder, in_subgraph(tensor(), 20))


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(tag: bytes, content: bytes) -> bytes:
    return tag + varint(len(content)) + content


def with_raw_tensor(content: bytes) -> bytes:
    """A model whose graph is said in two parts, the second with one tensor made of these bytes."""
    return model(graph()).SerializeToString() + field(b"\x3a", field(b"\x2a", content))


BARE = TensorProto(name="w", data_type=FLOAT, dims=(4, 4), data_location=TensorProto.EXTERNAL)
ENTRY = onnx.StringStringEntryProto(key="location", value=OUTSIDE).SerializeToString()


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (b"\x6a", "refers to"),
        (b"\xea\x80\x80\x80\x00", "refers to"),  # the same number, written longer
        (b"\xea\x80\x80\x80\x10", "field number"),  # bit 32 set: C++ parsers drop it and read field 13
        (b"\xea" + b"\x80" * 9 + b"\x01", "too long"),
    ],
)
@pytest.mark.usefixtures("unopened")
def test_unusual_bytes_hide_nothing(folder: Path, tag: bytes, words: str) -> None:
    with pytest.raises(BundleError, match=words):
        open_graph(folder, with_raw_tensor(BARE.SerializeToString() + field(tag, ENTRY)))


@pytest.mark.parametrize(
    "entries",
    [
        {"offset": "1"},
        {"location": "w.weights", "offset": "-64"},
        {"location": "w.weights", "offset": "9" * 30},
        {"location": "w.weights", "offset": "0x10"},
        {"location": "w.weights", "offset": "٣"},
        {"location": "w.weights", "length": "-1"},
        {"location": "w.weights", "length": ""},
        {"location": "w.weights", "LOCATION": "w.weights", "length": "1e3"},
    ],
)
@pytest.mark.usefixtures("unopened")
def test_places_that_are_none(folder: Path, entries: dict[str, str]) -> None:
    bad = TensorProto(external_data=[onnx.StringStringEntryProto(key=k, value=v) for k, v in entries.items()])
    with pytest.raises(BundleError, match="not a valid ONNX graph"):
        open_graph(folder, model(graph(bad)))


@pytest.mark.usefixtures("unopened")
def test_a_location_given_twice_is_refused(folder: Path) -> None:
    bad = tensor("w.weights")
    bad.external_data.add(key="location", value=OUTSIDE)
    with pytest.raises(BundleError, match="given twice"):
        open_graph(folder, model(graph(bad)))


@pytest.mark.parametrize(
    ("offset", "length"), [(32, 64), (0, 65), (64, 1), (65, 0), (1 << 40, 64), (10**18 - 1, 10**18 - 1)]
)
@pytest.mark.usefixtures("unopened")
def test_places_past_the_end_of_the_weights(folder: Path, offset: int, length: int) -> None:
    with pytest.raises(BundleError, match=r"more than the 64 bytes of w\.weights"):
        open_graph(folder, model(graph(tensor("w.weights", offset=offset, length=length))))


@pytest.mark.parametrize("external", [{"offset": 16}, {"offset": 0, "length": 32}, {"length": 4}])
def test_places_that_do_not_fit_the_shape(folder: Path, external: dict[str, int]) -> None:
    """Within the file, but not what the tensor's shape needs: ONNX Runtime says so and reads nothing."""
    with pytest.raises(EngineError, match="ONNX Runtime refuses"):
        open_graph(folder, model(graph(tensor("w.weights", **external))))


def test_fits_counts_the_bytes() -> None:
    assert External("w", 32, 32).fits(64)
    assert not External("w", 33, 32).fits(64)
    assert External("w", 64, None).fits(64)
    assert not External("w", 65, None).fits(64)


def test_truncated_graphs(imu_bundle: Path, folder: Path) -> None:
    whole = (imu_bundle / "onnx/fp32/imu.onnx").read_bytes()
    shutil.copy(imu_bundle / "onnx/fp32/imu.weights", folder / "imu.weights")
    path = folder / "imu.onnx"
    for size in (0, 1, 2, 3, 10, 100, 1000, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises((BundleError, EngineError), match=r"imu\.onnx"):
            OnnxRuntimeEngine(
                EngineSpec([path, folder / "imu.weights"], "imu", "float32", 4, "fp32"),
                EngineSettings("cpu", 1),
            )


@pytest.mark.usefixtures("unopened")
def test_files_that_are_no_graph(folder: Path) -> None:
    for content in (b"hello, this is text", bytes(50), b"\xff" * 50, b"PK\x03\x04", b"\x3a\xff\xff"):
        with pytest.raises(BundleError, match="not a valid ONNX graph"):
            open_graph(folder, content)
    (folder / "imu.onnx").write_bytes(b"")
    with open(folder / "imu.onnx", "r+b") as file:
        file.truncate(65 << 20)
    with pytest.raises(BundleError, match="larger than 64 MiB"):
        OnnxRuntimeEngine(
            EngineSpec([folder / "imu.onnx"], "imu", "float32", 4, "fp32"), EngineSettings("cpu", 1)
        )


@pytest.mark.usefixtures("unopened")
def test_only_onnx_by_name(folder: Path) -> None:
    """ONNX Runtime reads a file named .ort as its own format, which our walk does not know."""
    path = folder / "imu.ort"
    path.write_bytes(model(graph(tensor())).SerializeToString())
    with pytest.raises(BundleError, match=r"does not end in \.onnx"):
        OnnxRuntimeEngine(EngineSpec([path], "imu", "float32", 4, "fp32"), EngineSettings("cpu", 1))


def value(name: str, kind: int = FLOAT, shape: Any = ("b", 4)) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def matmul(a: str = "input", out: str = "embedding") -> Any:
    return helper.make_node("MatMul", [a, "w"], [out])


def cast(kind: int) -> Any:
    return helper.make_node("Cast", ["input"], ["embedding"], to=kind)


LISTED = helper.make_tensor_sequence_value_info("embedding", FLOAT, None)
TO_LIST = helper.make_node("SequenceConstruct", ["input"], ["embedding"])
UNKNOWN = helper.make_node("NoSuchOperator", ["input"], ["embedding"])


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (graph(tensor(), nodes=[matmul("x")], inputs=[value("x")]), "input → embedding"),
        (graph(tensor(), nodes=[matmul(out="y")], outputs=[value("y")]), "input → embedding"),
        (graph(tensor(), inputs=[value("input"), value("more")]), "input → embedding"),
        (graph(tensor(), nodes=[matmul(), matmul(out="y")], outputs=[value("embedding"), value("y")]), "→"),
        (graph(nodes=[cast(FLOAT)], inputs=[value("input", INT)]), r"turns tensor\(int64\) into .*; it must"),
        (graph(nodes=[cast(INT)], outputs=[value("embedding", INT)]), r"into tensor\(int64\)"),
        (graph(nodes=[TO_LIST], outputs=[LISTED]), r"into seq"),
        (graph(nodes=[UNKNOWN]), "ONNX Runtime refuses"),
        (graph(tensor(), nodes=[matmul("missing")]), "ONNX Runtime refuses"),
        (graph(), "ONNX Runtime refuses"),
    ],
)
def test_graphs_of_another_make(folder: Path, made: GraphProto, words: str) -> None:
    with pytest.raises(EngineError, match=rf"imu\.onnx: .*{words}"):
        open_graph(folder, model(made))


def test_a_custom_operator_is_refused(folder: Path) -> None:
    node = helper.make_node("Anything", ["input"], ["embedding"], domain="com.example")
    with pytest.raises(EngineError, match=r"refuses the graph.*com\.example"):
        open_graph(folder, model(graph(nodes=[node]), "com.example"))


@pytest.mark.parametrize(
    "nodes",
    [
        [helper.make_node("ReduceSum", ["input"], ["embedding"], keepdims=0)],
        [helper.make_node("Concat", ["input", "input"], ["embedding"], axis=0)],
        [helper.make_node("Concat", ["input", "input"], ["embedding"], axis=1)],
        [helper.make_node("Transpose", ["input"], ["embedding"])],
    ],
)
def test_another_shape_than_promised_is_an_error_of_the_run(folder: Path, nodes: list[Any]) -> None:
    engine = open_graph(folder, model(graph(nodes=nodes, outputs=[value("embedding", FLOAT, None)])))
    with pytest.raises(EngineError, match=r"the graph returned \[.*\], not \[2, 4\]"):
        run(engine)


def test_another_input_shape_is_an_error_of_the_run(folder: Path) -> None:
    for shape in (("b", 4, 1), ("b", 5), (1, 4), ("b",)):
        nodes = [helper.make_node("Identity", ["input"], ["embedding"])]
        made = graph(nodes=nodes, inputs=[value("input", FLOAT, shape)], outputs=[info("embedding")])
        engine = open_graph(folder, model(made))
        with pytest.raises(EngineError, match=r"imu batch \[2, 4\]: ONNX Runtime failed"):
            run(engine)


def test_memory_that_is_not_there_is_an_error_of_the_run(folder: Path) -> None:
    shape = helper.make_tensor("shape", INT, (2,), [1 << 30, 1 << 20])
    nodes = [
        helper.make_node("Expand", ["input", "shape"], ["y"]),
        helper.make_node("ReduceMax", ["y"], ["embedding"]),
    ]
    inputs = [value("input", FLOAT, ("b", 1))]
    engine = open_graph(folder, model(graph(shape, nodes=nodes, inputs=inputs, outputs=[info("embedding")])))
    with pytest.raises(EngineError, match="ONNX Runtime failed"):
        engine.run(np.ones((1, 1), np.float32), np.empty((1, 1), np.float32))
