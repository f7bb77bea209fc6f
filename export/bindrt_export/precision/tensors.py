"""The tensors of a graph: read from its mapped weights file, converted, and written to another one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import ml_dtypes
import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from bindrt.arrays import Array
from bindrt.errors import ExportError
from bindrt_export.tracing.padding import padding

#: Smaller tensors stand in the graph.
INLINE_BYTES = 64
KINDS: dict[str, Any] = {
    "float32": np.float32,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float8": ml_dtypes.float8_e4m3fn,
    "int8": np.int8,
}
ONNX_KIND = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "float8": TensorProto.FLOAT8E4M3FN,
    "int8": TensorProto.INT8,
}
#: The largest int8 weight on a CPU. Seven bits: without VNNI, x86 adds two products of an unsigned and a
#: signed byte in 16 bits, and 2 · 255 · 63 still fits; so a bundle means the same on every machine.
CPU_WEIGHT = 63
LARGEST = {"int8": 127.0, "float8": 448.0}


class GraphTensors:
    """The tensors of a float32 graph, mapped from its weights file."""

    def __init__(
        self, model: ModelProto, folder: Path, powers: Mapping[str, Sequence[int]] | None = None
    ) -> None:
        """``powers``: by tensor, the power of two that each row (or element) is multiplied by."""
        self._folder = folder
        self._powers = powers or {}
        self.tensors = {t.name: t for t in model.graph.initializer}

    def read(self, name: str) -> Array:
        values = self._read(name)
        if name not in self._powers:
            return values
        rows = np.reshape(np.asarray(self._powers[name], np.int32), (-1,) + (1,) * (values.ndim - 1))
        return np.ldexp(values, rows)

    def _read(self, name: str) -> Array:
        tensor = self.tensors[name]
        if tensor.data_location != TensorProto.EXTERNAL:
            return numpy_helper.to_array(tensor)
        where = {entry.key: entry.value for entry in tensor.external_data}
        flat = np.memmap(
            self._folder / where["location"],
            dtype="<f4",
            mode="r",
            offset=int(where.get("offset", "0")),
            shape=(math.prod(tensor.dims),),
        )
        return flat.reshape(tuple(tensor.dims))


class WeightsWriter:
    """A weights file that tensors are appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tensors: list[TensorProto] = []

    def __enter__(self) -> WeightsWriter:
        self._file = open(self.path, "wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._file.close()

    def add(self, name: str, values: Array) -> str:
        """Keep a tensor under a name, which is returned."""
        values = np.asarray(values, order="C")  # ascontiguousarray would give scalars an axis
        if values.nbytes <= INLINE_BYTES:
            self.tensors.append(numpy_helper.from_array(values, name))
            return name
        self._file.write(padding(self._file.tell(), values.nbytes))
        tensor = TensorProto(
            name=name,
            data_type=helper.np_dtype_to_tensor_dtype(values.dtype),
            dims=values.shape,
            data_location=TensorProto.EXTERNAL,
        )
        for key, value in (
            ("location", self.path.name),
            ("offset", self._file.tell()),
            ("length", values.nbytes),
        ):
            tensor.external_data.add(key=key, value=str(value))
        self._file.write(values.reshape(-1).view(np.uint8).data)
        self.tensors.append(tensor)
        return name


def narrowed(name: str, values: Array, kind: str) -> Array:
    """Float values in another float type.

    Raises:
        ExportError: one is too large for it.
    """
    with np.errstate(over="ignore"):
        made = values.astype(KINDS[kind])
    if not np.isfinite(made.astype(np.float32)).all() and np.isfinite(values).all():
        raise ExportError(name, f"a weight of {np.abs(values).max():.3g} is too large for {kind}", "use bf16")
    return np.asarray(made)


def per_channel(values: Array, kind: str, largest: float, scale_kind: str = "float32") -> tuple[Array, Array]:
    """Weights ``[in, out]`` as 8-bit numbers with a factor per output channel, symmetric around zero.

    Returns:
        The numbers ``[in, out]``, and the factors ``[out]`` in ``scale_kind``.
    """
    peak = np.abs(values).max(axis=0)
    scale = np.where(peak > 0, peak / largest, 1.0).astype(KINDS[scale_kind])
    # A factor that is rounded down would clip the largest weight.
    short = scale.astype(np.float64) * largest < peak
    scale[short] = np.nextafter(scale, np.array(np.inf, scale.dtype))[short]
    divided = values / scale.astype(np.float32)
    if kind == "int8":
        return np.clip(np.rint(divided), -largest, largest).astype(np.int8), scale
    return np.clip(divided, -largest, largest).astype(KINDS[kind]), scale
