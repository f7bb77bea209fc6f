"""A strongly typed float16 graph from a float32 one: products in float16, what must not overflow in float32.

In float32 stay the norms, softmax, the residual stream (additions of two activations) and the division by
the length. Casts stand at the borders; weights of products are stored as float16.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from bindrt.errors import ExportError

#: Their sums and exponents leave float16's range or precision.
FLOAT32_OPS = ("LayerNormalization", "Softmax", "ReduceL2", "Clip", "Div", "Where", "Range")
LARGEST = float(np.finfo(np.float16).max)
PAGE = 4096


def write_half(source: Path, target: Path) -> None:
    """Write ``target`` and beside it its weights, suffix ``.weights``; one tensor is in memory at a time.

    Raises:
        ExportError: a weight is too large for float16.
    """
    model = onnx.load(str(source), load_external_data=False)
    typing = HalfTyping(model)
    model.graph.ClearField("node")
    model.graph.node.extend(typing.nodes)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    wanted = [(n, np.float32) for n in tensors if n in typing.full] + [
        (n, np.float16) for n in tensors if n in typing.half
    ]
    other = [t for n, t in tensors.items() if n not in typing.full and n not in typing.half]
    with open(target.with_suffix(".weights"), "wb") as file:
        made = [
            external(file, half_name(n) if kind is np.float16 else n, read(tensors[n], source, kind))
            for n, kind in wanted
        ]
    model.graph.ClearField("initializer")
    model.graph.initializer.extend([*other, *made])
    model.graph.ClearField("value_info")
    onnx.save(model, str(target))


class HalfTyping:
    """Walks the nodes in order and decides for each whether it computes in float16.

    Attributes:
        nodes: with casts between.
        half, full: initializers that are needed as float16, and those needed as float32.
    """

    def __init__(self, model: ModelProto) -> None:
        inferred = onnx.shape_inference.infer_shapes(model)
        values = [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]
        self._kinds = {v.name: v.type.tensor_type.elem_type for v in values}
        self._kinds |= {t.name: t.data_type for t in model.graph.initializer}
        self._initializers = {t.name for t in model.graph.initializer}
        self._outputs = {v.name for v in model.graph.output}
        self._made_half: set[str] = set()  # activations that exist as float16
        self._cast: set[str] = set()
        self.nodes: list[NodeProto] = []
        self.half: set[str] = set()
        self.full: set[str] = set()
        for node in model.graph.node:
            self._add(node)

    def _add(self, node: NodeProto) -> None:
        is_float = any(self._kinds.get(name) == TensorProto.FLOAT for name in [*node.input, *node.output])
        half = is_float and node.op_type not in FLOAT32_OPS and not self._is_residual(node)
        made = NodeProto()
        made.CopyFrom(node)
        for i, name in enumerate(node.input):
            if self._kinds.get(name) == TensorProto.FLOAT:
                made.input[i] = self._as_half(name) if half else self._as_full(name)
        self.nodes.append(made)
        if half:
            self._rename_outputs(made)

    def _is_residual(self, node: NodeProto) -> bool:
        return node.op_type == "Add" and not any(name in self._initializers for name in node.input)

    def _rename_outputs(self, node: NodeProto) -> None:
        """Float outputs are float16; a graph's output is cast back."""
        for i, name in enumerate(node.output):
            if self._kinds.get(name) == TensorProto.FLOAT:
                node.output[i] = half_name(name)
                self._made_half.add(name)
        for name in (n for n in self._made_half & self._outputs if n not in self._cast):
            self._as_full(name)

    def _as_half(self, name: str) -> str:
        if name in self._initializers:
            self.half.add(name)
        elif name not in self._made_half:
            self._cast_once(name, half_name(name), TensorProto.FLOAT16)
        return half_name(name)

    def _as_full(self, name: str) -> str:
        if name in self._initializers:
            self.full.add(name)
        elif name in self._made_half:
            self._cast_once(half_name(name), name, TensorProto.FLOAT)
        return name

    def _cast_once(self, source: str, target: str, kind: int) -> None:
        if target not in self._cast:
            self._cast.add(target)
            self.nodes.append(helper.make_node("Cast", [source], [target], name=f"cast {target}", to=kind))


def half_name(name: str) -> str:
    return f"{name}.half"


def read(tensor: TensorProto, source: Path, kind: type[np.floating]) -> npt.NDArray[np.floating]:
    """An initializer's values, mapped where they stand outside the graph."""
    if tensor.data_location == TensorProto.EXTERNAL:
        where: Mapping[str, str] = {entry.key: entry.value for entry in tensor.external_data}
        values: npt.NDArray[np.floating] = np.memmap(
            source.parent / where["location"],
            dtype="<f4",
            mode="r",
            offset=int(where.get("offset", "0")),
            shape=tuple(tensor.dims) or (1,),
        )
    else:
        values = numpy_helper.to_array(tensor)
    with np.errstate(over="ignore"):
        made = values.astype(kind)
    if kind is np.float16 and np.isinf(made).any() and np.abs(values[np.isfinite(values)]).max() > LARGEST:
        raise ExportError(tensor.name, "a weight is too large for float16", "export it in fp32 or bf16")
    return np.asarray(made).reshape(tuple(tensor.dims))


def external(file: BinaryIO, name: str, values: npt.NDArray[np.floating]) -> TensorProto:
    """Append the values to the file, page-aligned; the tensor that refers to them."""
    file.write(bytes(-file.tell() % PAGE))
    offset = file.tell()
    file.write(np.ascontiguousarray(values).data)
    tensor = TensorProto(
        name=name,
        data_type=helper.np_dtype_to_tensor_dtype(values.dtype),
        dims=values.shape,
        data_location=TensorProto.EXTERNAL,
    )
    for key, value in (("location", Path(file.name).name), ("offset", offset), ("length", values.nbytes)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor
