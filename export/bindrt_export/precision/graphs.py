"""Find the parts of an encoder's float32 graph: linears, look-up tables, residual sums, norms."""

from __future__ import annotations

from collections.abc import Iterator

from onnx import ModelProto, NodeProto

MICROSOFT = "com.microsoft"


def linears(model: ModelProto) -> Iterator[tuple[str, NodeProto]]:
    """Every product with a weight: the linear's name (the weight's without ``.weight``), and the node."""
    weights = {t.name for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            yield node.input[1].removesuffix(".weight"), node


def tables(model: ModelProto) -> Iterator[NodeProto]:
    """The look-ups in the table of tokens."""
    weights = {t.name for t in model.graph.initializer}
    return (n for n in model.graph.node if n.op_type == "Gather" and n.input[0] in weights)


def residual_sums(model: ModelProto) -> Iterator[NodeProto]:
    """Sums of two activations that are not attention scores: the residual stream."""
    weights = {t.name for t in model.graph.initializer}
    scores = {name for n in model.graph.node if n.op_type == "Softmax" for name in n.input}
    for node in model.graph.node:
        if node.op_type == "Add" and not weights & set(node.input) and node.output[0] not in scores:
            yield node


def norms_before(model: ModelProto) -> dict[str, str]:
    """Linear → the gain of the norm whose output it reads, if nothing but linears reads that output."""
    weights = {t.name for t in model.graph.initializer}
    nodes = [n for n in model.graph.node if n.op_type == "LayerNormalization"]
    norms = {n.output[0]: n.input[1] for n in nodes}
    products = {node.output[0] for _, node in linears(model)}
    spoiled = {
        norms[name]
        for node in model.graph.node
        for name in node.input
        if name in norms and node.output[0] not in products
    }
    spoiled |= {n.input[1] for n in nodes if len(n.input) > 2}  # a bias would have to shrink as well
    return {
        name: norms[node.input[0]]
        for name, node in linears(model)
        if norms.get(node.input[0]) in weights - spoiled
    }
