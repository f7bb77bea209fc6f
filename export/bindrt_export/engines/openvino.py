"""OpenVINO runs the bundle's ONNX graph and weights as they are; building is proving that it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bindrt.engines import Job, Settings
from bindrt.engines.available import REMEDY, module_name, version
from bindrt.errors import ExportError, OptionError
from bindrt_export.engines.build import Graph, reference
from bindrt_export.probes import probes
from bindrt_export.verify import TOLERANCE, compare, run_engine


class OpenVinoBuilder:
    """Adds OpenVINO to a bundle for one graph: no files of its own, compared with torch."""

    engine = "openvino"
    target = "cpu"

    def __init__(self, graph: Graph) -> None:
        """
        Raises:
            OptionError: OpenVINO is not installed.
        """
        if module_name(self.engine) is None:
            raise OptionError("--engine openvino", "it is not installed", REMEDY[self.engine])
        self.graph = graph
        self.precision = graph.precision
        self.version = version(self.engine)

    def build(self, root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """The manifest's entry and what was measured.

        Raises:
            ExportError: its vectors differ from torch's by more than the tolerance.
        """
        from bindrt.engines.openvino import OpenVinoEngine

        info = self.graph.info()
        job = Job(
            [root / str(f["path"]) for f in self.graph.files], info, self.graph.embed_dim, self.precision
        )
        engine = OpenVinoEngine(job, Settings("cpu"))
        inputs = probes(info.name, info.view)
        found = compare(reference(root, info.name), run_engine(engine, inputs, self.graph.embed_dim))
        if not found.within(self.precision):
            raise ExportError(
                f"{info.name} openvino",
                f"its vectors differ from torch's by {found.max_abs:.2e} "
                f"(worst cosine {found.min_cosine:.6f})",
                f"at most {TOLERANCE[self.precision]:.0e} is allowed for {self.precision}",
            )
        entry = {
            "encoder": info.name,
            "engine": self.engine,
            "precision": self.precision,
            "target": self.target,
            "min_batch": 1,
            "max_batch": None,
            "files": [dict(f) for f in self.graph.files],
        }
        return entry, {"difference_to_torch": found.as_dict(), "version": self.version}

    def note(self, measured: dict[str, Any]) -> str:
        return f"max difference {measured['difference_to_torch']['max_abs']:.1e}, weights shared"
