"""ONNX Runtime: the embedded default on a CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from bindrt.engines.onnx_file import external_tensors
from bindrt.errors import BundleError, EngineError
from bindrt.manifest import EncoderInfo

#: Past this many rows a batch on a CPU gains no speed and only holds memory.
CPU_BATCH = {"vision": 8, "text": 64}
DEFAULT_CPU_BATCH = 16
QUIET = 4  # ONNX Runtime logs what it also raises


class OnnxRuntimeEngine:
    """One encoder in an ONNX Runtime session on the CPU; weights are mapped from the bundle."""

    name = "onnxruntime"
    device = "cpu"

    def __init__(
        self, files: list[Path], encoder: EncoderInfo, embed_dim: int, precision: str, threads: int | None
    ) -> None:
        """Open ``files[0]``, whose weights are in the other files beside it.

        Raises:
            BundleError: the graph refers to what the bundle does not list for it, or does not hold.
            EngineError: ONNX Runtime refuses the graph.
        """
        graph = files[0]
        refuse_strangers(graph, files[1:])
        self.precision = precision
        self.max_batch = CPU_BATCH.get(encoder.name, DEFAULT_CPU_BATCH)
        self._encoder = encoder
        self._embed_dim = embed_dim
        options = ort.SessionOptions()
        options.log_severity_level = QUIET
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no base but this
            raise EngineError(
                graph.name, f"ONNX Runtime refuses the graph ({short(error)})", "export it again"
            ) from None
        self._check_signature(graph.name)

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        try:
            result = self._session.run(["embedding"], {"input": inputs})[0]
        except Exception as error:
            raise EngineError(
                f"{self._encoder.name} batch {list(inputs.shape)}", f"ONNX Runtime failed ({short(error)})"
            ) from None
        if result.shape != out.shape:
            raise EngineError(
                self._encoder.name,
                f"the graph returned {list(result.shape)}, not {list(out.shape)}",
                "export again",
            )
        out[...] = result

    def _check_signature(self, name: str) -> None:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if [i.name for i in inputs] != ["input"] or [o.name for o in outputs] != ["embedding"]:
            raise EngineError(
                name, "the graph's inputs or outputs are not input → embedding", "export it again"
            )
        expected = {"float32": "tensor(float)", "int64": "tensor(int64)"}[self._encoder.dtype]
        if inputs[0].type != expected or outputs[0].type != "tensor(float)":
            raise EngineError(
                name,
                f"the graph makes {outputs[0].type} of {inputs[0].type}",
                f"it must make tensor(float) of {expected}; export it again",
            )


def refuse_strangers(graph: Path, beside: list[Path]) -> None:
    remedy = "fetch the bundle from a source you trust"
    if graph.suffix != ".onnx":  # ONNX Runtime reads another format from files of another name
        raise BundleError(graph.name, "the graph's name does not end in .onnx", remedy)
    allowed = {path.name: path.stat().st_size for path in beside if path.parent == graph.parent}
    for tensor in external_tensors(graph):
        if tensor.location not in allowed:
            problem = f"refers to {tensor.location[:80]!r}, which the bundle does not list for it"
            raise BundleError(graph.name, f"the graph {problem}", remedy)
        if not tensor.fits(allowed[tensor.location]):
            problem = f"expects more than the {allowed[tensor.location]} bytes of {tensor.location}"
            raise BundleError(graph.name, f"the graph {problem}", "export or copy the bundle again")


def short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
