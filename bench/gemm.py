"""A large float32 matrix product by ONNX Runtime, the machine's limit for arithmetic.

The fastest of the libraries here: on AMD, torch's MKL and NumPy's OpenBLAS reach half of it.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort

SIDE = 2048  # of the matrices
FLOPS = 2 * SIDE**3


def session(threads: int = 0) -> ort.InferenceSession:
    """``a @ b`` with a constant ``b``, as an encoder's linear layers are; 0 threads: all cores."""
    side = [SIDE, SIDE]
    b = onnx.helper.make_tensor(
        "b", onnx.TensorProto.FLOAT, side, np.full(side, 0.5, "<f4").tobytes(), raw=True
    )
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, side) for name in ("a", "c")]
    node = onnx.helper.make_node("MatMul", ["a", "b"], ["c"])
    graph = onnx.helper.make_graph([node], "gemm", ends[:1], ends[1:], [b])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(model.SerializeToString(), options)
