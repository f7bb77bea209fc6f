"""OpenVINO runs the bundle's ONNX graph and weights as they are; building is proving that it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bindrt.engines import ENGINES, EngineSettings, EngineSpec
from bindrt.errors import OptionError
from bindrt_export.engines.build import Graph, cpu_entry, reference
from bindrt_export.probes import probes
from bindrt_export.verify import examine


class OpenVinoBuilder:
    """Adds OpenVINO to a bundle for one graph: no files of its own, compared with torch."""

    engine = "openvino"
    target = "cpu"
    form = ""  # the graph's own

    def __init__(self, graph: Graph, allow: bool = False) -> None:
        """
        Raises:
            OptionError: OpenVINO is not installed.
        """
        kind = ENGINES[self.engine]
        if kind.module_name() is None:
            raise OptionError("--engine openvino", "it is not installed", kind.remedy)
        self.graph = graph
        self.allow = allow
        self.precision = graph.precision
        self.version = kind.version()

    def build(self, root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """The manifest's entry and what was measured.

        Raises:
            ExportError: its vectors differ from torch's by more than the tolerance.
        """
        from bindrt.engines.openvino import OpenVinoEngine

        info = self.graph.info()
        files = [root / str(f["path"]) for f in self.graph.files]
        spec = EngineSpec(files, info.name, info.dtype, self.graph.embed_dim, self.precision)
        engine = OpenVinoEngine(spec, EngineSettings("cpu"))
        inputs = probes(info.name, info.view)
        torch = reference(root, info.name)
        found = examine(f"{info.name} openvino", engine, self.precision, inputs, torch, self.allow)
        entry = cpu_entry(info.name, self.engine, self.precision, self.graph.files)
        return entry, {**found, "version": self.version}

    def note(self, measured: dict[str, Any]) -> str:
        return f"max difference {measured['difference_to_torch']['max_abs']:.1e}, weights shared"
