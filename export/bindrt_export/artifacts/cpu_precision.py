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
from bindrt_export.verification.comparison import compare, judged, open_on_cpu, run_engine
from bindrt_export.verification.probes import probe_inputs

#: An encoder whose int8 vectors have no smaller cosine than this keeps nothing more in floats. Other inputs
#: than the probes have up to twice the error, and stay within the limit of int8.
GOOD_COSINE = 0.995
#: Else its stem and so many first blocks stay in floats, more each time until it is good, or the last.
EARLY = (1, 2, 3, 4, 6, 8)


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
        inputs, reference = probe_inputs(encoder.name, encoder.view), graph.torch_vectors()
        for early in (0, *EARLY):
            types = self._calibration.types_for(
                source, encoder, self._precision, self._calibration.has_files, early
            )
            write_cpu_form(source, target, types)
            engine = open_on_cpu(ENGINE, [target, weights], encoder, graph.embed_dim, self._precision)
            found = compare(reference, run_engine(engine, inputs, graph.embed_dim))
            if self._precision != "int8" or found.min_cosine >= GOOD_COSINE or early >= encoder.depth:
                break
        what = f"{encoder.name} {self._precision}"
        measured = judged(what, engine, self._precision, inputs, found, graph.embed_dim, self._allow)
        files = [file_entry(root, target), file_entry(root, weights)]
        entry = cpu_entry(encoder.name, ENGINE, self._precision, files)
        return Made(entry, {**measured, "kept": dict(types.kept)})

    def note(self, measured: Mapping[str, Any]) -> str:
        kept = f", {len(measured['kept'])} linears kept in floats" if measured["kept"] else ""
        return f"cosine {measured['difference_to_torch']['min_cosine']:.6f}{kept}"
