"""Writing a graph and its weights file in another precision, from the float32 ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import onnx
from onnx import ModelProto, NodeProto, helper

from bindrt_export.precision.cpu import CpuForm
from bindrt_export.precision.description import Description
from bindrt_export.precision.graphs import MICROSOFT
from bindrt_export.precision.tensors import Sink, Source
from bindrt_export.precision.typed import TypedForm

#: Part of a form's identity: raise it when the same description gives another graph.
FORM_VERSION = 1


class Form(Protocol):
    nodes: list[NodeProto]


def write_cpu_form(source: Path, target: Path, description: Description) -> None:
    """For ONNX Runtime and OpenVINO on a CPU; see :mod:`bindrt_export.precision.cpu`."""
    write(source, target, description, CpuForm)


def write_typed_form(source: Path, target: Path, description: Description) -> None:
    """For TensorRT, whose networks are strongly typed; see :mod:`bindrt_export.precision.typed`."""
    write(source, target, description, TypedForm)


def write(
    source: Path,
    target: Path,
    description: Description,
    make: Callable[[ModelProto, Description, Source, Sink], Form],
) -> None:
    """``target`` and, beside it, its tensors with the suffix ``.weights``; one tensor in memory at a time.

    Raises:
        ExportError: a weight does not fit the precision.
    """
    model = onnx.load(str(source), load_external_data=False)
    with Sink(target.with_suffix(".weights")) as sink:
        tensors = Source(model, source.parent, description.powers)
        form = make(model, description, tensors, sink)
    for field, content in (("node", form.nodes), ("initializer", sink.tensors), ("value_info", [])):
        model.graph.ClearField(field)
        getattr(model.graph, field).extend(content)
    if any(node.domain == MICROSOFT for node in form.nodes):
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    target.write_bytes(model.SerializeToString(deterministic=True))
