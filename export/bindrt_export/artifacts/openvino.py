"""OpenVINO runs the bundle's ONNX graph and weights as they are; building is proving that it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bindrt.engines import ENGINES
from bindrt.errors import OptionError
from bindrt_export.artifacts.graph import EncoderGraph, cpu_entry
from bindrt_export.artifacts.store import Made
from bindrt_export.calibration import Calibration
from bindrt_export.probes import probe_inputs
from bindrt_export.progress import Progress
from bindrt_export.request import EngineRequest
from bindrt_export.verify import examine, open_on_cpu

NAME = "openvino"


class OpenVinoRecipe:
    """Adds OpenVINO to a bundle for one graph: no files of its own, compared with torch."""

    measures: frozenset[str] = frozenset()

    def __init__(self, graph: EncoderGraph, allow: bool = False) -> None:
        """
        Raises:
            OptionError: OpenVINO is not installed.
        """
        kind = ENGINES[NAME]
        if kind.module_name() is None:
            raise OptionError(f"--engine {NAME}", "it is not installed", kind.remedy)
        self.name = f"{graph.name} {graph.precision} {NAME}"
        self.record = f"{graph.name}-{NAME}-{graph.precision}"
        self.key = graph.key_for(NAME, kind.version(), graph.precision, "cpu", form="")
        self._graph = graph
        self._version = kind.version()
        self._allow = allow

    def make(self, root: Path, progress: Progress) -> Made:
        """Run the graph.

        Raises:
            ExportError: its vectors differ from torch's by more than the tolerance.
        """
        progress.stage(self.name, "build")
        graph, encoder = self._graph, self._graph.encoder
        engine = open_on_cpu(NAME, graph.paths(), encoder, graph.embed_dim, graph.precision)
        inputs = probe_inputs(encoder.name, encoder.view)
        found = examine(
            f"{graph.name} {NAME}", engine, graph.precision, inputs, graph.torch_vectors(), self._allow
        )
        entry = cpu_entry(graph.name, NAME, graph.precision, graph.artifact.files)
        return Made(entry, {**found, "version": self._version})

    def note(self, measured: Mapping[str, Any]) -> str:
        return f"max difference {measured['difference_to_torch']['max_abs']:.1e}, weights shared"


def recipes(
    engine: str, graphs: Sequence[EncoderGraph], request: EngineRequest, calibration: Calibration
) -> list[OpenVinoRecipe]:
    """A recipe for each graph whose precision is asked for: OpenVINO reads them all."""
    return [OpenVinoRecipe(g, request.allow) for g in graphs if g.precision in request.precisions]
