"""The native engine on graphs of the golden small model, in every form that an export writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from bindrt.bundle import open_bundle
from bindrt.engines import ENGINES, Engine, EngineSettings, EngineSpec
from bindrt.engines.native import NativeEngine
from bindrt_export.precision import choose_types, write_cpu_form
from bindrt_export.precision.graphs import linears
from bindrt_export.precision.survey import run_survey
from bindrt_export.verification.probes import probe_inputs

DIM = 48


def probes(bundle: Path, encoder: str) -> list[np.ndarray]:
    return list(probe_inputs(encoder, open_bundle(bundle).manifest.encoders[encoder].view).values())


def rewritten(bundle: Path, encoder: str, form: str, folder: Path) -> Path:
    """The encoder's float32 graph as ``fp16``, ``bf16``, ``int8`` or ``int8-fixed`` has it."""
    source, target = bundle / "onnx" / "fp32" / f"{encoder}.onnx", folder / form / f"{encoder}.onnx"
    target.parent.mkdir(parents=True, exist_ok=True)
    precision, _, fixed = form.partition("-")
    names = [name for name, _ in linears(onnx.load(str(source), load_external_data=False))]
    survey = run_survey(source, probes(bundle, encoder)) if precision == "int8" else None
    write_cpu_form(source, target, choose_types(precision, names, survey, fixed=bool(fixed)))
    return target


def spec(bundle: Path, graph: Path, precision: str, key: str = "") -> EngineSpec:
    """For a graph of an encoder of the bundle, wherever it lies; without a key nothing is kept."""
    encoder = open_bundle(bundle).manifest.encoders[graph.stem]
    return EngineSpec(
        [graph, graph.with_suffix(".weights")],
        encoder.name,
        encoder.dtype,
        DIM,
        precision,
        key=key,
        heads=encoder.heads,
        view=encoder.view,
    )


def native(bundle: Path, graph: Path, precision: str, key: str = "", threads: int = 2) -> NativeEngine:
    return NativeEngine(spec(bundle, graph, precision, key), EngineSettings("cpu", threads))


def onnxruntime(bundle: Path, graph: Path, precision: str = "fp32") -> Engine:
    return ENGINES["onnxruntime"].open(spec(bundle, graph, precision), EngineSettings("cpu"))


def vectors(engine: Engine, inputs: np.ndarray) -> np.ndarray:
    """What it gives, brought to unit length."""
    out = np.empty((len(inputs), DIM), np.float32)
    engine.run(inputs, out)
    return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))


def least_cosine(engine: Engine, other: Engine, inputs: list[np.ndarray]) -> float:
    found = [(vectors(engine, one) * vectors(other, one)).sum(axis=1).min() for one in inputs]
    return float(min(found))
