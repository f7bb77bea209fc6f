"""The graph for strongly typed networks (TensorRT): every value has the type that the graph gives it.

Norms, softmax and the division by the length are in float32, the residual stream is where the
:class:`EncoderTypes` say so, everything else is in the compute type; casts stand at the borders. An 8-bit
linear is a product whose two sides come out of Q/DQ pairs, symmetric around zero, weights with a factor per
output channel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, shape_inference

from bindrt.arrays import Array
from bindrt_export.precision.graphs import linears, residual_sums
from bindrt_export.precision.number_types import EncoderTypes, LinearTypes
from bindrt_export.precision.tensors import (
    KINDS,
    LARGEST,
    ONNX_KIND,
    GraphTensors,
    WeightsWriter,
    narrowed,
    per_channel,
)

#: Sums of squares, exponentials and quotients leave half precision's range or accuracy.
FLOAT32_OPS = frozenset({"LayerNormalization", "Softmax", "ReduceL2", "Clip", "Div", "Where", "Range"})
#: Packed linears, and of how many each is made. TensorRT silently runs a packed 8-bit product in half
#: precision if its result is split; separate products keep their type.
PACKED = {"qkv": 3, "key_value": 2}
#: Names of products with weights begin so. A plan is searched for these names.
PLAIN, QUANTIZED = "linear/", "linear8/"
#: Stands for a range that was measured as zero.
TINY = 1e-6


class TypedForm:
    """Walks the nodes in order and gives every float value a type; ``nodes`` is the new graph."""

    def __init__(
        self, model: ModelProto, types: EncoderTypes, tensors: GraphTensors, writer: WeightsWriter
    ) -> None:
        self._types = types
        self._tensors, self._writer = tensors, writer
        self._linears = {node.output[0]: name for name, node in linears(model)}
        self._sums = {node.output[0] for node in residual_sums(model)}
        self._scores = {n for node in model.graph.node if node.op_type == "Softmax" for n in node.input}
        self._outputs = {value.name for value in model.graph.output}
        self._floats = float_values(model)
        #: The type each activation was made in; a graph's inputs are float32.
        self._made = {value.name: "float32" for value in model.graph.input}
        self._there: set[str] = set()
        self.nodes: list[NodeProto] = []
        for node in model.graph.node:
            self._add(node)

    def _add(self, node: NodeProto) -> None:
        name = self._linears.get(node.output[0])
        if name is not None:
            self._linear(node, name, self._types.layers[name])
            return
        kind = self._kind_of(node)
        inputs = [self._as(v, kind) if v in self._floats else self._index(v) for v in node.input]
        self._emit(node, inputs, kind)

    def _kind_of(self, node: NodeProto) -> str:
        output = node.output[0]
        masked = node.op_type == "Add" and output in self._scores
        if node.op_type in FLOAT32_OPS or masked or output in self._outputs:
            return "float32"
        if output in self._sums:
            return self._types.residual
        return self._types.compute

    def _linear(self, node: NodeProto, name: str, layer: LinearTypes) -> None:
        """Add a product with a weight; a packed one becomes several."""
        if layer.is_quantized:
            kind, x = self._types.compute, self._quantized_input(node.input[0], name, layer)
        else:
            kind, x = layer.activation, self._as(node.input[0], layer.activation)
        values, parts = self._tensors.read(node.input[1]), PACKED.get(name.rpartition(".")[2], 1)
        output, made = named(node.output[0], kind), []
        for i, piece in enumerate(np.split(values, parts, axis=1)):
            part = f".{i}" if parts > 1 else ""
            made.append(output + part)
            if layer.is_quantized:
                weight = self._wide_weight(node.input[1] + part, piece, layer)
            else:
                weight = self._writer.add(
                    named(node.input[1] + part, kind), narrowed(node.input[1], piece, kind)
                )
            prefix = QUANTIZED if layer.is_quantized else PLAIN
            self.nodes.append(helper.make_node("MatMul", [x, weight], made[-1:], name=prefix + name + part))
        if parts > 1:
            self._node("Concat", made, output, axis=-1)
        self._made[node.output[0]] = kind

    def _quantized_input(self, value: str, name: str, layer: LinearTypes) -> str:
        compute = self._types.compute
        assert layer.range is not None, "typed 8-bit activations have fixed ranges"
        step = np.asarray(max(layer.range, TINY) / LARGEST[layer.activation], KINDS[compute])
        pair = [
            self._writer.add(f"{name}.step", step),
            self._writer.add(f"{name}.zero", np.zeros((), KINDS[layer.activation])),
        ]
        self._node("QuantizeLinear", [self._as(value, compute), *pair], f"{name}/number")
        self._node("DequantizeLinear", [f"{name}/number", *pair], f"{name}/wide")
        return f"{name}/wide"

    def _wide_weight(self, name: str, values: Array, layer: LinearTypes) -> str:
        """The output of a weight's DequantizeLinear."""
        numbers, scale = per_channel(values, layer.weight, LARGEST[layer.weight], self._types.compute)
        inputs = [
            self._writer.add(f"{name}.{layer.weight}", numbers),
            self._writer.add(f"{name}.scale", scale),
            self._writer.add(f"{name}.zero", np.zeros(scale.shape, KINDS[layer.weight])),
        ]
        self._node("DequantizeLinear", inputs, f"{name}/wide", axis=1)
        return f"{name}/wide"

    def _emit(self, node: NodeProto, inputs: list[str], kind: str) -> None:
        made = NodeProto()
        made.CopyFrom(node)
        made.input[:] = inputs
        for i, output in enumerate(node.output):
            if output in self._floats:
                made.output[i] = named(output, kind)
                self._made[output] = kind
        if node.op_type == "Cast":
            raise AssertionError("the float32 graph has no casts")
        self.nodes.append(made)

    def _as(self, value: str, kind: str) -> str:
        """The name of a float value in a type; it is cast or stored when it is first needed."""
        typed = named(value, kind)
        if value in self._tensors.tensors:
            if typed not in self._there:
                self._there.add(typed)
                self._writer.add(typed, narrowed(value, self._tensors.read(value), kind))
        elif self._made[value] != kind and typed not in self._there:
            self._there.add(typed)
            self._node("Cast", [named(value, self._made[value])], typed, to=ONNX_KIND[kind])
        return typed

    def _index(self, value: str) -> str:
        """Integers (shapes, indices, token ids) stay as they are."""
        if value in self._tensors.tensors and value not in self._there:
            self._there.add(value)
            self._writer.add(value, self._tensors.read(value))
        return value

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))


def named(value: str, kind: str) -> str:
    return value if kind == "float32" else f"{value}.{kind}"


def float_values(model: ModelProto) -> set[str]:
    """Names of all float32 values of a graph."""
    known = shape_inference.infer_shapes(model).graph
    values = [*known.value_info, *known.input, *known.output]
    found = {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.FLOAT}
    return found | {t.name for t in known.initializer if t.data_type == TensorProto.FLOAT}
