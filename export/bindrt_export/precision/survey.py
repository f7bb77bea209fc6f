"""What runs through an encoder: its float32 graph is run once, and every linear's input is looked at.

The largest magnitudes decide ranges and where float16 would overflow; how far each linear's output moves when
it alone is computed in 8 bits decides which linears are left in floats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from bindrt.arrays import Array
from bindrt_export.precision.graphs import linears, norms_before, residual_sums
from bindrt_export.precision.tensors import CPU_WEIGHT, KINDS, LARGEST, GraphTensors, per_channel

#: Tokens of one input that a linear's error is measured on, evenly spaced.
ROWS = 32
#: The largest power of two that a channel is evened by.
MOST_EVENED = 8


@dataclass(frozen=True)
class Survey:
    """What was measured over some inputs.

    Attributes:
        ranges: by linear, the largest magnitude of its input.
        residual: the largest magnitude in the residual stream.
        errors: by linear, by kind of 8 bits (``int8``: each token by its own range; ``int8-fixed``; ``fp8``):
            the typical output's relative error (root mean square over tokens, median over channels).
        inputs: how many inputs were run.
        powers: how large channels are evened out (:func:`evening`); ranges and errors are those after it.
    """

    ranges: Mapping[str, float]
    residual: float
    errors: Mapping[str, Mapping[str, float]]
    inputs: int
    powers: Mapping[str, Sequence[int]] = field(default_factory=dict)


def run_survey(graph: Path, inputs: Sequence[Array]) -> Survey:
    """Run inputs ``[1, …]`` one at a time through a float32 graph whose weights lie beside it."""
    model = onnx.load(str(graph), load_external_data=False)
    watched = {name: node.input[0] for name, node in linears(model)}
    sums = [node.output[0] for node in residual_sums(model)]
    names = list(dict.fromkeys([*watched.values(), *sums]))
    residual = 0.0
    peaks: dict[str, Array] = {}  # by value, of each channel
    rows: dict[str, list[Array]] = {value: [] for value in watched.values()}
    session = watching_session(model, graph, names)
    for one in inputs:
        for name, values in zip(names, session.run(names, {"input": one}), strict=True):
            flat = values.reshape(-1, values.shape[-1])
            if name in rows:
                peak = np.abs(flat).max(axis=0)
                peaks[name] = np.maximum(peaks[name], peak) if name in peaks else peak
                rows[name].append(flat[:: max(1, math.ceil(len(flat) / ROWS))].copy())
            else:
                residual = max(residual, float(np.abs(flat).max()))
    del session
    norms, plain = norms_before(model), GraphTensors(model, graph.parent)
    powers = evening(
        norms,
        {name: peaks[watched[name]] for name in norms},
        {name: np.abs(plain.read(f"{name}.weight")).max(axis=1) for name in norms},
    )
    source = GraphTensors(model, graph.parent, powers)
    ranges, errors = {}, {}
    for name, value in watched.items():
        lift = np.asarray(powers.get(f"{name}.weight", 0), np.int32)
        ranges[name] = rounded_up(float(np.ldexp(peaks[value], -lift).max()))
        x = np.ldexp(np.concatenate(rows[value]), -lift)
        errors[name] = layer_errors(x, source.read(f"{name}.weight"), ranges[name])
    return Survey(ranges, residual, errors, len(inputs), powers)


def evening(
    norms: Mapping[str, str], peaks: Mapping[str, Array], rows: Mapping[str, Array]
) -> dict[str, list[int]]:
    """Powers of two that share out what is uneven between a norm's output and the weights that read it.

    A channel ``c`` of peak ``a`` meets a row of the weights of peak ``w``. Both sides have one step for all
    channels, so the best that can be done is to make ``a`` and ``w`` equally large in every channel: the
    activation is divided by the power of two next to √(a / w), the row multiplied by it. What all channels
    have in common is left out.

    Args:
        norms: linear → the norm whose output it reads.
        peaks: by linear, the largest magnitude of each channel of its input.
        rows: by linear, the largest magnitude of each row of its weight.
    """
    found: dict[str, list[int]] = {}
    for norm in dict.fromkeys(norms.values()):
        readers = [name for name, gain in norms.items() if gain == norm]
        peak, row = (np.max([side[name] for name in readers], axis=0) for side in (peaks, rows))
        ratio = np.log2(np.maximum(peak, 1e-30) / np.maximum(row, 1e-30)) / 2
        lift = np.clip(np.rint(ratio - np.median(ratio)), -MOST_EVENED, MOST_EVENED).astype(int)
        if lift.any():
            found[norm] = (-lift).tolist()
            found |= {f"{name}.weight": lift.tolist() for name in readers}
    return found


def watching_session(model: onnx.ModelProto, graph: Path, names: Sequence[str]) -> ort.InferenceSession:
    """A session of the graph with more outputs. Its file must lie beside the weights while it is opened."""
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
    """Round up to eight bits, so that a sum in another order gives the same range."""
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
