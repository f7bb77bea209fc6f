"""Which operations ONNX Runtime's provider CUDA has a kernel for, and bfloat16 computed without it.

The list is from ONNX Runtime's own (docs/OperatorKernels.md, operators implemented by CUDAExecutionProvider),
as of opset 20, for what bundles' graphs have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

FLOAT, HALF, BFLOAT, INT64 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.INT64
FLOATS = frozenset({FLOAT, HALF, BFLOAT})
WITHOUT_BFLOAT = frozenset({FLOAT, HALF})
ALSO_WHOLE = frozenset({INT64})
#: Operation → element types of its (first) numbers; None: any.
KERNELS: dict[str, frozenset[int] | None] = {
    **dict.fromkeys(("MatMul", "Gelu", "LayerNormalization", "Softmax"), FLOATS),
    **dict.fromkeys(("Add", "Mul", "Div", "Where"), FLOATS | ALSO_WHOLE),
    **dict.fromkeys(("ArgMax", "Conv", "ReduceL2"), WITHOUT_BFLOAT),
    **dict.fromkeys(("Clip", "Greater"), WITHOUT_BFLOAT | ALSO_WHOLE),
    "Range": ALSO_WHOLE | {FLOAT},
    **dict.fromkeys(("Cast", "Concat", "Expand", "Gather", "GatherElements", "Reshape", "Shape"), None),
    **dict.fromkeys(("Slice", "Squeeze", "Transpose", "Unsqueeze"), None),
}


def element_types(model: onnx.ModelProto) -> dict[str, int]:
    """The type of every value of a graph."""
    known = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    values = [*known.value_info, *known.input, *known.output]
    stored = {tensor.name: tensor.data_type for tensor in known.initializer}
    return {**stored, **{value.name: value.type.tensor_type.elem_type for value in values}}


def left_to_cpu(model: onnx.ModelProto, missing: str = "") -> Iterator[tuple[str, str]]:
    """Name and kind of what ONNX Runtime leaves to the CPU.

    That is operations without a kernel, and those on shapes, which are there already.

    Args:
        missing: a kind of which the provider shall have no kernel either.
    """
    kinds = element_types(model)
    there = {tensor.name for tensor in model.graph.initializer}
    shapes: set[str] = set()
    for node in model.graph.node:
        numbers = node.input[1 if node.op_type == "Where" else 0]
        allowed = KERNELS.get(node.op_type, frozenset())
        lacks = allowed is not None and kinds[numbers] not in allowed
        if node.op_type == "Shape":
            shapes.update(node.output)
        elif shapes & set(node.input) and set(node.input) <= shapes | there:
            shapes.update(node.output)
            lacks = lacks or kinds[node.output[0]] == INT64
        if lacks or node.op_type == missing:
            yield node.name, node.op_type


class GatherElements(OpRun):  # type: ignore[misc]
    """The ONNX package's own takes no more than 64 rows."""

    def _run(self, data: Any, indices: Any, axis: int = 0) -> tuple[Any]:
        return (np.take_along_axis(data, indices, axis),)


def bfloat16_vectors(model: onnx.ModelProto, inputs: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """What a graph computes by the ONNX package's evaluator: ONNX Runtime has no such kernels on a CPU."""
    found = ReferenceEvaluator(model, new_ops=[GatherElements]).run(["embedding"], {"input": inputs})[0]
    return np.asarray(found, np.float32)
