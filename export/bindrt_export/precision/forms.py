"""Write a graph and its weights file in another precision, from the float32 ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from bindrt_export.precision.cpu import CpuForm
from bindrt_export.precision.graphs import MICROSOFT
from bindrt_export.precision.number_types import EncoderTypes
from bindrt_export.precision.tensors import GraphTensors, WeightsWriter
from bindrt_export.precision.typed import TypedForm

#: Part of a graph's key: raise it when the same types give another graph.
FORM_VERSION = 2


class Form(Protocol):
    nodes: list[NodeProto]


def write_cpu_form(source: Path, target: Path, types: EncoderTypes) -> None:
    """For ONNX Runtime and OpenVINO on a CPU; see :mod:`bindrt_export.precision.cpu`."""
    write(source, target, types, CpuForm)


def write_typed_form(source: Path, target: Path, types: EncoderTypes) -> None:
    """For TensorRT, whose networks are strongly typed; see :mod:`bindrt_export.precision.typed`."""
    write(source, target, types, TypedForm)


def narrow_input(graph: Path) -> bool:
    """Let a typed graph read float16, where all that it does with its float32 input is to round it to that.

    The vectors stay the same: whoever writes the input rounds it, to nearest and halves to even as the cast
    does.

    Returns:
        Whether the graph reads float16 now.
    """
    model = onnx.load(str(graph), load_external_data=False)
    (given,) = model.graph.input
    users = [node for node in model.graph.node if given.name in node.input]
    is_rounded = len(users) == 1 and users[0].op_type == "Cast"
    if not is_rounded or helper.get_node_attr_value(users[0], "to") != TensorProto.FLOAT16:
        return False
    rounded = users[0].output[0]
    model.graph.node.remove(users[0])
    for node in model.graph.node:
        node.input[:] = [given.name if name == rounded else name for name in node.input]
    given.type.tensor_type.elem_type = TensorProto.FLOAT16
    graph.write_bytes(model.SerializeToString(deterministic=True))
    return True


def write(
    source: Path,
    target: Path,
    types: EncoderTypes,
    make: Callable[[ModelProto, EncoderTypes, GraphTensors, WeightsWriter], Form],
) -> None:
    """``target`` and, beside it, its tensors with the suffix ``.weights``; one tensor in memory at a time.

    Raises:
        ExportError: a weight does not fit the precision.
    """
    model = onnx.load(str(source), load_external_data=False)
    with WeightsWriter(target.with_suffix(".weights")) as writer:
        tensors = GraphTensors(model, source.parent, types.powers)
        form = make(model, types, tensors, writer)
    for field, content in (("node", form.nodes), ("initializer", writer.tensors), ("value_info", [])):
        model.graph.ClearField(field)
        getattr(model.graph, field).extend(content)
    if any(node.domain == MICROSOFT for node in form.nodes):
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    target.write_bytes(model.SerializeToString(deterministic=True))
