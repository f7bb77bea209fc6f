"""The graph for engines on a CPU, which compute floats in float32.

* ``fp16``, ``bf16``: weights are stored in half; a Cast makes them float32 when the engine loads. The vectors
  are what half precision weights mean; arithmetic is float32.
* ``int8``: products of bytes. Every token is brought to 8 bits by its own largest magnitude, so that no
  neighbour in a batch changes it; or, calibrated, by a range fixed at export.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from bindrt.arrays import Array
from bindrt_export.precision.graphs import MICROSOFT, linears, tables
from bindrt_export.precision.number_types import FLOAT, EncoderTypes, LinearTypes
from bindrt_export.precision.tensors import (
    CPU_WEIGHT,
    GraphTensors,
    WeightsWriter,
    narrowed,
    per_channel,
)

#: Activations are unsigned with this zero: ONNX Runtime is ten times slower with signed ones.
ZERO = 128
LEVELS = 127
#: The least that a token is divided by: a token of zeros must not be divided by zero.
TINY = 1e-30


class CpuForm:
    """Rewrites nodes one by one; ``nodes`` is the new graph."""

    def __init__(
        self, model: ModelProto, types: EncoderTypes, tensors: GraphTensors, writer: WeightsWriter
    ) -> None:
        self._types = types
        self._tensors, self._writer = tensors, writer
        self._linears = {node.output[0]: name for name, node in linears(model)}
        self._tables = {node.output[0] for node in tables(model)}
        self._convolutions = {n.input[1] for n in model.graph.node if n.op_type == "Conv"}
        self._biases = biases(model)
        self._given: set[str] = set()
        self.nodes: list[NodeProto] = []
        #: What half precision means here; 8-bit linears leave the table and the stem in it too.
        self._half = FLOAT.get(types.precision, "float16")
        absorbed: set[str] = set()
        for node in model.graph.node:
            if node.output[0] in absorbed:
                continue
            if node.output[0] in self._linears:
                absorbed |= self._linear(node)
            elif node.output[0] in self._tables:
                self._table(node)
            else:
                self._other(node)

    def _linear(self, node: NodeProto) -> set[str]:
        """Add a linear; returns the outputs of later nodes that this replaces too."""
        name = self._linears[node.output[0]]
        layer = self._types.layers[name]
        if not layer.is_quantized:
            self._widened(node.input[1])
            self.nodes.append(node)
            return set()
        weight = node.input[1]
        numbers, scale = per_channel(self._tensors.read(weight), "int8", CPU_WEIGHT)
        product = [
            self._writer.add(f"{weight}.int8", numbers),
            self._writer.add(f"{weight}.scale", scale),
            self._constant("zero", np.uint8(ZERO)),
        ]
        if layer.range is None:
            self._per_token(node, name, product)
            return set()
        return self._fixed(node, name, layer, product)

    def _per_token(self, node: NodeProto, name: str, product: list[str]) -> None:
        weight, scale, zero = product
        most, least, below, peak, step, levels, scaled, number, raw = (f"{name}/{part}" for part in STAGES)
        one, last = self._constant("one", np.float32(1)), self._constant("last", np.array([-1]))
        # Not by Abs, which would write as much as it reads; and a product, which costs less than a quotient.
        self._node("ReduceMax", [node.input[0], last], most, keepdims=1)
        self._node("ReduceMin", [node.input[0], last], least, keepdims=1)
        self._node("Neg", [least], below)
        self._node("Max", [most, below, self._constant("tiny", np.float32(TINY))], peak)
        self._node("Mul", [peak, self._constant("level", np.float32(1 / LEVELS))], step)
        self._node("Div", [self._constant("levels", np.float32(LEVELS)), peak], levels)
        self._node("Mul", [node.input[0], levels], scaled)
        self._node("QuantizeLinear", [scaled, one, zero], number)
        self._product([number, weight, one, scale, zero], raw)
        self._node("Mul", [raw, step], node.output[0])

    def _fixed(self, node: NodeProto, name: str, layer: LinearTypes, product: list[str]) -> set[str]:
        weight, scale, zero = product
        assert layer.range is not None
        step = self._writer.add(f"{name}.step", np.float32(max(layer.range, TINY) / LEVELS))
        self._node("QuantizeLinear", [node.input[0], step, zero], f"{name}/number")
        bias = self._biases.get(node.output[0])
        output = node.output[0] if bias is None else bias[0]
        more = [] if bias is None else ["", self._kept(bias[1])]
        self._product([f"{name}/number", weight, step, scale, zero, *more], output)
        return set() if bias is None else {output}

    def _table(self, node: NodeProto) -> None:
        """Look tokens up in the stored type and widen what was found: the table itself stays small."""
        table = node.input[0]
        stored = self._writer.add(f"{table}.half", narrowed(table, self._tensors.read(table), self._half))
        self._node("Gather", [stored, *node.input[1:]], f"{node.output[0]}/half", axis=0)
        self._node("Cast", [f"{node.output[0]}/half"], node.output[0], to=TensorProto.FLOAT)

    def _other(self, node: NodeProto) -> None:
        for name in node.input:
            if name in self._tensors.tensors:
                self._widened(name) if name in self._convolutions else self._kept(name)
        self.nodes.append(node)

    def _widened(self, weight: str) -> None:
        """Store a weight in half precision; its own name is that of the float32 values after the Cast."""
        if weight not in self._given:
            self._given.add(weight)
            stored = self._writer.add(
                f"{weight}.half", narrowed(weight, self._tensors.read(weight), self._half)
            )
            self._node("Cast", [stored], weight, to=TensorProto.FLOAT)

    def _kept(self, name: str) -> str:
        if name not in self._given:
            self._given.add(name)
            self._writer.add(name, self._tensors.read(name))
        return name

    def _constant(self, name: str, value: Array | np.generic) -> str:
        name = f"constant.{name}"
        if name not in self._given:
            self._given.add(name)
            self._writer.add(name, np.asarray(value))
        return name

    def _product(self, inputs: list[str], output: str) -> None:
        self._node("MatMulIntegerToFloat", inputs, output, domain=MICROSOFT)

    def _node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))


STAGES = ("most", "least", "below", "peak", "step", "levels", "scaled", "number", "raw")


def biases(model: ModelProto) -> dict[str, tuple[str, str]]:
    """Product's output → the output of the Add after it, and the bias added."""
    weights = {t.name for t in model.graph.initializer}
    return {
        node.input[0]: (node.output[0], node.input[1])
        for node in model.graph.node
        if node.op_type == "Add" and node.input[1] in weights and node.input[1].endswith(".bias")
    }
