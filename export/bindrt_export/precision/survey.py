"""What runs through an encoder: the float32 graph, run once with a look at every linear's input.

The largest magnitudes decide ranges and where float16 would overflow; how far each linear's output moves when
it alone is computed in 8 bits decides which linears are left in floats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from bindrt_export.precision.graphs import linears, residual_sums
from bindrt_export.precision.tensors import CPU_WEIGHT, KINDS, LARGEST, Source, per_channel

Array = npt.NDArray[Any]

#: Tokens of one input that a linear's error is measured on, evenly spaced.
ROWS = 32


@dataclass(frozen=True)
class Survey:
    """Measured over some inputs.

    Attributes:
        ranges: by linear: the largest magnitude of its input.
        residual: the largest magnitude in the residual stream.
        errors: by linear, by kind of 8 bits (``int8``: each token by its own range; ``int8-fixed``; ``fp8``):
            the typical output's relative error (root mean square over tokens, median over channels).
        inputs: how many inputs were run.
    """

    ranges: Mapping[str, float]
    residual: float
    errors: Mapping[str, Mapping[str, float]]
    inputs: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def survey(graph: Path, inputs: Sequence[Array]) -> Survey:
    """Run inputs ``[1, …]`` one at a time through a float32 graph whose weights lie beside it."""
    model = onnx.load(str(graph), load_external_data=False)
    source = Source(model, graph.parent)
    watched = {name: node.input[0] for name, node in linears(model)}
    weights = {name: node.input[1] for name, node in linears(model)}
    sums = [node.output[0] for node in residual_sums(model)]
    names = list(dict.fromkeys([*watched.values(), *sums]))
    peaks = dict.fromkeys(names, 0.0)
    rows: dict[str, list[Array]] = {value: [] for value in watched.values()}
    session = watching_session(model, graph, names)
    for one in inputs:
        for name, values in zip(names, session.run(names, {"input": one}), strict=True):
            peaks[name] = max(peaks[name], float(np.abs(values).max()))
            if name in rows:
                flat = values.reshape(-1, values.shape[-1])
                rows[name].append(flat[:: max(1, math.ceil(len(flat) / ROWS))].copy())
    del session
    ranges = {name: rounded_up(peaks[value]) for name, value in watched.items()}
    errors = {
        name: layer_errors(np.concatenate(rows[value]), source.read(weights[name]), ranges[name])
        for name, value in watched.items()
    }
    return Survey(ranges, max((peaks[name] for name in sums), default=0.0), errors, len(inputs))


def watching_session(model: onnx.ModelProto, graph: Path, names: Sequence[str]) -> ort.InferenceSession:
    """The graph with more outputs; its file must lie beside the weights while it is opened."""
    watching = onnx.ModelProto()
    watching.CopyFrom(model)
    watching.graph.output.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names)
    path = graph.with_name(f"{graph.stem}.watching.onnx")
    try:
        path.write_bytes(watching.SerializeToString())
        options = ort.SessionOptions()
        options.log_severity_level = 4
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    finally:
        path.unlink(missing_ok=True)


def rounded_up(value: float) -> float:
    """To eight bits, so that a sum in another order gives the same range."""
    if value <= 0 or not math.isfinite(value):
        return value
    step = 2.0 ** (math.frexp(value)[1] - 8)
    return math.ceil(value / step) * step


def layer_errors(x: Array, weight: Array, bound: float) -> dict[str, float]:
    """Relative error of ``x @ weight`` when it is computed in 8 bits."""
    exact = x @ weight
    own = np.maximum(np.abs(x).max(axis=1, keepdims=True), 1e-30) / LARGEST["int8"]
    fixed = np.float32(max(bound, 1e-30) / LARGEST["int8"])
    narrow = np.float32(max(bound, 1e-30) / LARGEST["float8"])
    bytes_ = widened(weight, "int8", CPU_WEIGHT)
    eights = widened(weight, "float8", LARGEST["float8"])
    return {
        "int8": typical_error(exact, (np.rint(x / own) * own) @ bytes_),
        "int8-fixed": typical_error(exact, (np.clip(np.rint(x / fixed), -128, 127) * fixed) @ bytes_),
        "fp8": typical_error(
            exact, ((x / narrow).astype(KINDS["float8"]).astype(np.float32) * narrow) @ eights
        ),
    }


def widened(weight: Array, kind: str, largest: float) -> Array:
    numbers, scale = per_channel(weight, kind, largest)
    return np.asarray(numbers.astype(np.float32) * scale)


def typical_error(exact: Array, found: Array) -> float:
    """Median over output channels: one huge channel must not hide what happens to the others."""
    power = np.square(exact.astype(np.float64)).mean(axis=0)
    noise = np.square((found - exact).astype(np.float64)).mean(axis=0)
    return float(np.median(np.sqrt(noise / np.maximum(power, 1e-60))))
