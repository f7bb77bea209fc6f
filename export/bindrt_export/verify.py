"""Compare an exported encoder with torch, and a finished bundle with what torch gave at export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from bindrt.engines import Engine
from bindrt_export.probes import Array

Rows = npt.NDArray[np.float32]

#: Largest difference of a coordinate of unit vectors, by precision.
TOLERANCE = {"fp32": 1e-4}


@dataclass(frozen=True)
class Difference:
    """Between two sets of vectors, after bringing each to unit length.

    Attributes:
        max_abs, mean_abs: of the coordinates' differences.
        min_cosine: the worst cosine similarity.
    """

    max_abs: float
    mean_abs: float
    min_cosine: float

    def within(self, precision: str) -> bool:
        # Written so that NaN is not within.
        return self.max_abs <= TOLERANCE[precision]

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def difference(a: Rows, b: Rows) -> Difference:
    """Compare ``[N, D]`` with ``[N, D]``, in float64."""
    x, y = (unit(m.astype(np.float64)) for m in (a, b))
    gap = np.abs(x - y)
    return Difference(float(gap.max()), float(gap.mean()), float((x * y).sum(axis=1).min()))


def unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def run_engine(engine: Engine, inputs: Mapping[str, Array], embed_dim: int) -> dict[str, Rows]:
    """Run probes through an engine, equal shapes batched together, so that batching is tested too."""
    results: dict[str, Rows] = {}
    by_shape: dict[tuple[int, ...], list[str]] = {}
    for name, array in inputs.items():
        by_shape.setdefault(array.shape, []).append(name)
    for names in by_shape.values():
        for start in range(0, len(names), engine.max_batch):
            some = names[start : start + engine.max_batch]
            out = np.empty((len(some), embed_dim), np.float32)
            engine.run(np.concatenate([inputs[n] for n in some]), out)
            results.update({n: out[i : i + 1].copy() for i, n in enumerate(some)})
    return {name: results[name] for name in inputs}


def compare(reference: Mapping[str, Rows], results: Mapping[str, Rows]) -> Difference:
    """All probes of one encoder together."""
    names = list(reference)
    return difference(
        np.concatenate([reference[n] for n in names]), np.concatenate([results[n] for n in names])
    )
