"""Compare what an engine computes for the probes with what torch computed; needs no torch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.arrays import Array
from bindrt.bundle.manifest import EncoderInfo
from bindrt.engines import ENGINES, Engine, EngineSettings, EngineSpec
from bindrt.errors import ExportError

Rows = npt.NDArray[np.float32]

#: The largest difference of two coordinates of unit vectors.
TOLERANCE = {"fp32": 1e-4}
#: The smallest cosine, for precisions that are expected to differ.
COSINE = {"fp16": 0.9999, "bf16": 0.999, "int8": 0.99, "fp8": 0.98}
#: A latency is the median of so many runs.
LATENCY_RUNS = 3


def vectors_path(encoder: str) -> str:
    """Where a bundle keeps torch's vectors for the probes of an encoder, for ``--check``."""
    return f"parts/{encoder}.npz"


def read_vectors(bundle: Path, encoder: str) -> dict[str, Rows]:
    """Torch's vectors for the probes in a bundle of our own making, by probe."""
    with np.load(bundle / vectors_path(encoder), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def open_on_cpu(
    engine: str, files: list[Path], encoder: EncoderInfo, embed_dim: int, precision: str
) -> Engine:
    """Open an engine that reads graphs, on the CPU; ``files[0]`` is the graph, its weights lie beside it."""
    spec = EngineSpec(files, encoder.name, encoder.dtype, embed_dim, precision)
    return ENGINES[engine].open(spec, EngineSettings("cpu"))


@dataclass(frozen=True)
class Difference:
    """How far two sets of vectors are apart, after each vector was brought to unit length.

    Attributes:
        max_abs, mean_abs: the largest and the mean difference of two coordinates.
        min_cosine: the smallest cosine of two vectors.
    """

    max_abs: float
    mean_abs: float
    min_cosine: float

    def within(self, precision: str) -> bool:
        # Written so that NaN is not within.
        if precision in TOLERANCE:
            return self.max_abs <= TOLERANCE[precision]
        return self.min_cosine >= COSINE[precision]

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def limit(precision: str) -> str:
    """What a precision may differ by, in words."""
    if precision in TOLERANCE:
        return f"a difference of at most {TOLERANCE[precision]:.0e}"
    return f"a cosine of at least {COSINE[precision]}"


def require_within(name: str, found: Difference, precision: str, allow: bool) -> None:
    """
    Raises:
        ExportError: they differ by more than the limit and ``allow`` is not set, or have no direction.
    """
    if not math.isfinite(found.max_abs):
        raise ExportError(
            name,
            f"its vectors in {precision} are zero or not finite",
            "its values do not fit into that precision; bf16 holds those of fp32",
        )
    if not allow and not found.within(precision):
        raise ExportError(
            name,
            f"its vectors differ from torch's by {found.max_abs:.2e} (worst cosine {found.min_cosine:.6f})",
            f"{precision} must have {limit(precision)}; --allow exports it all the same",
        )


def latency(engine: Engine, inputs: Mapping[str, Array], embed_dim: int) -> float:
    """Median seconds of one input, the last of the probes, on an engine that has run before."""
    one, out = list(inputs.values())[-1], np.empty((1, embed_dim), np.float32)
    seconds = []
    for _ in range(LATENCY_RUNS):
        start = perf_counter()
        engine.run(one, out)
        seconds.append(perf_counter() - start)
    return statistics.median(seconds)


def examine(
    name: str,
    engine: Engine,
    precision: str,
    inputs: Mapping[str, Array],
    reference: Mapping[str, Rows],
    allow: bool = False,
) -> dict[str, Any]:
    """Compare an engine with torch's vectors of the same inputs, and time it.

    Returns:
        ``difference_to_torch`` and ``latency_seconds``.

    Raises:
        ExportError: they differ by more than the precision's limit, and ``allow`` is not set.
    """
    dim = next(iter(reference.values())).shape[1]
    found = compare(reference, run_engine(engine, inputs, dim))
    return judged(name, engine, precision, inputs, found, dim, allow)


def judged(
    name: str,
    engine: Engine,
    precision: str,
    inputs: Mapping[str, Array],
    found: Difference,
    dim: int,
    allow: bool = False,
) -> dict[str, Any]:
    """What :func:`examine` returns and raises, for a difference that was found already."""
    require_within(name, found, precision, allow)
    return {
        "difference_to_torch": found.as_dict(),
        "latency_seconds": round(latency(engine, inputs, dim), 5),
    }


def difference(a: Rows, b: Rows) -> Difference:
    """Compare ``[N, D]`` with ``[N, D]``, in float64."""
    x, y = (unit(m.astype(np.float64)) for m in (a, b))
    gap = np.abs(x - y)
    return Difference(float(gap.max()), float(gap.mean()), float((x * y).sum(axis=1).min()))


def have_direction(rows: Rows) -> bool:
    """Whether every vector can be brought to unit length: it is finite and not zero."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    return bool((np.isfinite(lengths) & (lengths > 0)).all())


def unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(invalid="ignore", over="ignore"):  # the caller compares so that NaN fails
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def run_engine(engine: Engine, inputs: Mapping[str, Array], embed_dim: int) -> dict[str, Rows]:
    """Run probes through an engine. Equal shapes go in one batch, so that batching is tested too."""
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
    """The difference over all probes of one encoder."""
    names = list(reference)
    return difference(
        np.concatenate([reference[n] for n in names]), np.concatenate([results[n] for n in names])
    )
