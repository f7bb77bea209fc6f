"""An engine that reads the bundle's ONNX graphs: it needs no more than a proof that it computes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bindrt.engines import ENGINES
from bindrt.errors import OptionError
from bindrt_export.artifacts.graph import EncoderGraph, cpu_entry
from bindrt_export.artifacts.store import Made
from bindrt_export.precision import supported
from bindrt_export.precision.calibration import Calibration
from bindrt_export.progress import Progress
from bindrt_export.request import EngineRequest
from bindrt_export.verification.comparison import examine, open_on_cpu
from bindrt_export.verification.probes import probe_inputs


class GraphEngineRecipe:
    """Adds such an engine to a bundle for one graph: no files of its own, compared with torch."""

    measures: frozenset[str] = frozenset()

    def __init__(self, graph: EncoderGraph, engine: str, allow: bool = False) -> None:
        """
        Raises:
            OptionError: the engine is not installed.
        """
        kind = ENGINES[engine]
        if kind.module_name() is None:
            raise OptionError(f"--engine {engine}", "it is not installed", kind.how_to_install())
        self._version = kind.version()
        self.name = f"{graph.name} {graph.precision} {engine}"
        self.record = f"{graph.name}-{engine}-{graph.precision}"
        self.key = graph.key_for(engine, self._version, graph.precision, "cpu", form="")
        self._engine = engine
        self._graph = graph
        self._allow = allow

    def make(self, root: Path, progress: Progress) -> Made:
        """Run the graph.

        Raises:
            ExportError: its vectors differ from torch's by more than the precision allows.
        """
        progress.stage(self.name, "build")
        graph, encoder = self._graph, self._graph.encoder
        engine = open_on_cpu(self._engine, graph.paths(), encoder, graph.embed_dim, graph.precision)
        inputs = probe_inputs(encoder.name, encoder.view)
        what = f"{graph.name} {self._engine}"
        found = examine(what, engine, graph.precision, inputs, graph.torch_vectors(), self._allow)
        entry = cpu_entry(graph.name, self._engine, graph.precision, graph.artifact.files)
        return Made(entry, {**found, "version": self._version})

    def note(self, measured: Mapping[str, Any]) -> str:
        return f"max difference {measured['difference_to_torch']['max_abs']:.1e}, weights shared"


def recipes(
    engine: str, graphs: Sequence[EncoderGraph], request: EngineRequest, calibration: Calibration
) -> list[GraphEngineRecipe]:
    """A recipe for each graph whose precision is asked for and which the engine runs."""
    precisions = [p for p in request.precisions if p in supported(engine)]
    return [GraphEngineRecipe(g, engine, request.allow) for g in graphs if g.precision in precisions]
