"""From an encoder's architecture to its ONNX graph.

Graphs are traced with placeholder weights and refer to the weights file, so that a graph depends
on the encoder's numbers alone and tracing needs no memory for the weights.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx_ir as ir
import torch
from torch import Tensor

from bindrt.errors import ExportError
from bindrt_export.architecture import Encoder
from bindrt_export.tracing.weights import WeightsFile

#: The first with a GELU operator; every engine here reads it.
OPSET = 20
#: Part of an export's identity: raise it when graphs or weights files change.
TRACE_VERSION = 2
#: Constants the tracer may leave in the graph; anything larger is a weight it copied.
MAX_INLINE_BYTES = 4096


def trace_encoder(encoder: Encoder) -> ir.Model:
    """The graph of an encoder on the meta device, ``input`` → ``embedding``, batch and length dynamic."""
    config = encoder.config
    fill_with_placeholders(encoder)
    text = config.reads_tokens
    example = torch.zeros(2, 20, dtype=torch.int64) if text else torch.zeros(2, *config.view)
    dynamic = {0: torch.export.Dim("batch", min=1, max=1 << 16)}
    if text:
        dynamic[1] = torch.export.Dim("length", min=1, max=config.tokens)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.export.export(encoder, (example,), dynamic_shapes=(dynamic,))
        exported = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=OPSET,
            input_names=["input"],
            output_names=["embedding"],
            optimize=True,
            verbose=False,
        )
    if exported is None:
        raise ExportError(config.name, "torch.onnx.export returned no graph")
    model = exported.model
    tidy(model, text)
    model.graph.outputs[0].shape = ir.Shape(["batch", config.out])
    return model


def fill_with_placeholders(encoder: Encoder) -> None:
    """Lazily allocated zeros as parameters, each tensor told apart by its first number.

    Equal tensors would be merged by the tracer's optimiser.
    """
    state: dict[str, Tensor] = {}
    for number, (name, parameter) in enumerate(encoder.named_parameters(), start=1):
        zeros = np.zeros(tuple(parameter.shape), np.float32)  # calloc: untouched pages cost nothing
        zeros.reshape(-1)[0] = number
        state[name] = torch.from_numpy(zeros)
    encoder.load_state_dict(state, assign=True, strict=True)
    encoder.eval().requires_grad_(False)


def tidy(model: ir.Model, text: bool) -> None:
    """Remove what depends on the machine (traces of source files), and name the dynamic axes."""
    model.metadata_props.clear()
    model.graph.metadata_props.clear()
    model.producer_name, model.producer_version = "bindrt", str(TRACE_VERSION)
    model.graph.name = "encoder"
    shape = model.graph.inputs[0].shape
    assert shape is not None
    names = {str(shape[0]): "batch"} | ({str(shape[1]): "length"} if text else {})
    values = [*model.graph.inputs, *model.graph.outputs]
    for node in model.graph:
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            if value.name in ("input", "embedding") and not value.is_graph_output():
                value.name = f"inner_{value.name}"  # torch names the token lookup "embedding" too
            values.append(value)
    for value in [*values, *model.graph.initializers.values()]:
        value.metadata_props.clear()
        if value.shape is not None and not isinstance(value.shape, tuple):
            value.shape = ir.Shape([rename(d, names) for d in value.shape])


def rename(dim: int | ir.SymbolicDim, names: dict[str, str]) -> int | ir.SymbolicDim:
    """Known dynamic axes by name, other expressions as unknown."""
    return dim if isinstance(dim, int) else ir.SymbolicDim(names.get(str(dim.value)))


def save_graph(model: ir.Model, weights: WeightsFile, path: Path) -> None:
    """Write the graph beside its weights file, with every parameter referring into it.

    Raises:
        ExportError: the tracer lost, renamed or copied a parameter.
    """
    initializers = model.graph.initializers
    missing = [name for name in weights.slots if name not in initializers]
    if missing:
        raise ExportError(path.name, f"the graph does not use {', '.join(missing[:10])}")
    for name, value in initializers.items():
        slot = weights.slots.get(name)
        if slot is None:
            inline = value.const_value
            if inline is None or inline.nbytes > MAX_INLINE_BYTES:
                raise ExportError(path.name, f"the tracer copied a weight into {name}")
            continue
        if value.shape is None or tuple(value.shape) != slot.shape:
            raise ExportError(
                path.name, f"{name} is {value.shape} in the graph, {list(slot.shape)} in the file"
            )
        value.const_value = ir.ExternalTensor(
            weights.path.name,
            slot.offset,
            slot.bytes,
            ir.DataType.FLOAT,
            shape=ir.Shape(slot.shape),
            name=name,
            base_dir=weights.path.parent,
        )
    ir.save(model, path)
