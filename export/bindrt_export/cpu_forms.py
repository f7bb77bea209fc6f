"""A bundle's graphs in other precisions for engines on a CPU: written, compared with torch, timed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

from bindrt.engines import EngineSettings, EngineSpec
from bindrt.engines.onnxruntime import OnnxRuntimeEngine
from bindrt_export.calibration import Calibration
from bindrt_export.engines.build import Graph, cpu_entry, file_entry, reference
from bindrt_export.precision import FORM_VERSION, Description, describe, write_cpu_form
from bindrt_export.precision.graphs import linears
from bindrt_export.probes import probes
from bindrt_export.verify import examine


class CpuFormBuilder:
    """One encoder's float32 graph in another precision."""

    engine = "onnxruntime"
    target = "cpu"
    version = ""  # any ONNX Runtime reads it

    def __init__(self, graph: Graph, precision: str, calibration: Calibration, allow: bool) -> None:
        self.graph = graph
        self.precision = precision
        self.form = f"{FORM_VERSION} {calibration.key if precision == 'int8' else ''}"
        self._calibration = calibration
        self._allow = allow

    def build(self, root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """The manifest's entry and what was measured.

        Raises:
            ExportError: its vectors are further from torch's than the precision allows.
        """
        source = root / str(self.graph.files[0]["path"])
        target = root / "onnx" / self.precision / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        described = described_for(
            root, self.graph, self.precision, self._calibration, self._calibration.fixed
        )
        write_cpu_form(source, target, described)
        weights = target.with_suffix(".weights")
        info = self.graph.info()
        engine = OnnxRuntimeEngine(
            EngineSpec([target, weights], info.name, info.dtype, self.graph.embed_dim, self.precision),
            EngineSettings("cpu"),
        )
        found = examine(
            f"{info.name} {self.precision}",
            engine,
            self.precision,
            probes(info.name, info.view),
            reference(root, info.name),
            self._allow,
        )
        files = [file_entry(root, target), file_entry(root, weights)]
        entry = cpu_entry(info.name, self.engine, self.precision, files)
        return entry, {**found, "kept": dict(described.kept)}

    def note(self, measured: dict[str, Any]) -> str:
        kept = f", {len(measured['kept'])} linears kept in floats" if measured["kept"] else ""
        return f"cosine {measured['difference_to_torch']['min_cosine']:.6f}{kept}"


def described_for(
    root: Path, graph: Graph, precision: str, calibration: Calibration, fixed: bool
) -> Description:
    """The description of a float32 graph in a precision; measured where the precision asks for it."""
    model = onnx.load(str(root / str(graph.files[0]["path"])), load_external_data=False)
    measured = calibration.survey(root, graph) if precision in ("int8", "fp8") else None
    return describe(precision, [name for name, _ in linears(model)], measured, fixed)
