"""Write a graph and its weights file in another precision, from the float32 ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import onnx
from onnx import ModelProto, NodeProto, helper

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
