"""A graph in another precision for engines on a CPU: written, compared with torch, timed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bindrt_export.artifacts.graph import EncoderGraph, cpu_entry
from bindrt_export.artifacts.store import Made, file_entry, fresh
from bindrt_export.precision import FORM_VERSION, write_cpu_form
from bindrt_export.precision.calibration import Calibration
from bindrt_export.progress import Progress
from bindrt_export.request import ENGINE
from bindrt_export.verification.comparison import examine, open_on_cpu
from bindrt_export.verification.probes import probe_inputs


class CpuPrecisionRecipe:
    """One encoder's float32 graph in another precision."""

    measures: frozenset[str] = frozenset()

    def __init__(
        self, graph: EncoderGraph, precision: str, calibration: Calibration, allow: bool = False
    ) -> None:
        self.name = f"{graph.name} {precision} {ENGINE}"
        self.record = f"{graph.name}-{ENGINE}-{precision}"
        form = f"{FORM_VERSION} {calibration.key if precision == 'int8' else ''}"
        # No release of ONNX Runtime in the key: any reads it.
        self.key = graph.key_for(ENGINE, "", precision, "cpu", form)
        self._graph = graph
        self._precision = precision
        self._calibration = calibration
        self._allow = allow

    def make(self, root: Path, progress: Progress) -> Made:
        """Write the graph and its weights.

        Raises:
            ExportError: its vectors are further from torch's than the precision allows.
        """
        progress.stage(self.name, "build")
        graph, encoder = self._graph, self._graph.encoder
        source = graph.paths()[0]
        target = fresh(root / "onnx" / self._precision / source.name)
        weights = fresh(target.with_suffix(".weights"))
        types = self._calibration.types_for(
            source, encoder, self._precision, fixed=self._calibration.has_files
        )
        write_cpu_form(source, target, types)
        engine = open_on_cpu(ENGINE, [target, weights], encoder, graph.embed_dim, self._precision)
        inputs = probe_inputs(encoder.name, encoder.view)
        found = examine(
            f"{encoder.name} {self._precision}",
            engine,
            self._precision,
            inputs,
            graph.torch_vectors(),
            self._allow,
        )
        files = [file_entry(root, target), file_entry(root, weights)]
        entry = cpu_entry(encoder.name, ENGINE, self._precision, files)
        return Made(entry, {**found, "kept": dict(types.kept)})

    def note(self, measured: Mapping[str, Any]) -> str:
        kept = f", {len(measured['kept'])} linears kept in floats" if measured["kept"] else ""
        return f"cosine {measured['difference_to_torch']['min_cosine']:.6f}{kept}"
