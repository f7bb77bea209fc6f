"""Plans for TensorRT and TensorRT-RTX: from a bundle's graph, built in a process of its own and checked.

A plan of TensorRT-RTX is built ahead of time, without a GPU, for several named targets at once; one of
TensorRT on the GPU that it is for.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from bindrt import hardware
from bindrt.cache import cache_folder
from bindrt.engines import ENGINES, EngineSettings, EngineSpec
from bindrt.engines.batch_sizes import plan_batch
from bindrt.engines.onnxruntime import OnnxRuntimeEngine
from bindrt.engines.plan import TARGETS, plan_target, read_header
from bindrt.errors import ExportError, OptionError
from bindrt_export.calibration import Calibration
from bindrt_export.cpu_forms import described_for
from bindrt_export.engines.build import Graph, file_entry, reference
from bindrt_export.engines.plan_text import (
    known_products,
    missing_products,
    products,
    summary,
    wrong_products,
)
from bindrt_export.precision import FORM_VERSION, write_typed_form
from bindrt_export.precision.typed import PLAIN, QUANTIZED
from bindrt_export.probes import probes
from bindrt_export.verify import compare, require_within, run_engine

#: Targets of TensorRT-RTX, and those among them that cannot do a precision (tried with 1.7).
RTX_TARGETS = tuple(TARGETS.values())
DEFAULT_TARGETS = ("sm_86", "sm_89", "sm_120")
UNABLE = {
    "fp32": ("sm_75",),
    "bf16": ("sm_75",),
    "fp8": ("sm_75", "sm_80", "sm_86"),
    "fp16": (),
    "int8": (),
}
#: Rows that the profile for low latency is tuned for; the other one is tuned for the most.
TEXT_LENGTHS = (1, 16, 77)
TIMEOUT = 3600


class PlanBuilder:
    """Builds the plan of one graph."""

    def __init__(
        self,
        graph: Graph,
        engine: str,
        precision: str,
        targets: Sequence[str],
        calibration: Calibration,
        allow: bool = False,
    ) -> None:
        """
        Raises:
            OptionError: the engine is not installed, or a target cannot be built for.
        """
        kind = ENGINES[engine]
        module = kind.module_name()
        if module is None:
            raise OptionError(f"--engine {engine}", "it is not installed", kind.remedy)
        self.module = module
        self.engine = engine
        self.graph = graph
        self.precision = precision
        self.version = kind.version()
        self.form = f"{FORM_VERSION} {calibration.key}"
        self._calibration = calibration
        self._allow = allow
        self.targets = rtx_targets(targets, precision) if engine == "tensorrt-rtx" else own_target(targets)
        self.target = plan_target(self.targets)
        self.max_batch = plan_batch(graph.name)

    def build(self, root: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """The manifest's entry and what was measured.

        Raises:
            ExportError: TensorRT logged an error, or the plan is not what was asked for.
        """
        folder = root / "engines" / self.engine / self.precision / self.target
        folder.mkdir(parents=True, exist_ok=True)
        plan = folder / f"{self.graph.name}.plan"
        typed, temporary, found = self._typed_graph(root, folder)
        try:
            linears = linear_names(typed)
            measured = {**found, **self._run_worker(typed, plan)}
        finally:
            for path in temporary:
                path.unlink(missing_ok=True)
        if self.engine == "tensorrt-rtx":
            measured["products"] = self._check(plan, linears)
        measured["run"] = "built, not run"
        entry = {
            "encoder": self.graph.name,
            "engine": self.engine,
            "precision": self.precision,
            "target": self.target,
            "version": measured["version"],
            "min_batch": 1,
            "max_batch": self.max_batch,
            "files": [file_entry(root, plan)],
        }
        return entry, measured

    def note(self, measured: dict[str, Any]) -> str:
        return f"{measured['peak_rss_bytes'] / 1e9:.1f} GB of memory, built, not run"

    def _typed_graph(self, root: Path, folder: Path) -> tuple[Path, list[Path], dict[str, Any]]:
        """The graph with its types as asked for, files to remove afterwards, and how near it is to torch.

        The plan cannot be run here, but ONNX Runtime can compute what its graph says.
        """
        source = root / str(self.graph.files[0]["path"])
        if self.precision == "fp32":
            return source, [], {}
        described = described_for(root, self.graph, self.precision, self._calibration, fixed=True)
        typed = folder / f"{self.graph.name}.onnx"
        made = [typed, typed.with_suffix(".weights")]
        write_typed_form(source, typed, described)
        measured: dict[str, Any] = {"residual": described.residual, "kept": dict(described.kept)}
        if self.precision != "bf16":  # ONNX Runtime's CPU has no products of bfloat16
            info = self.graph.info()
            engine = OnnxRuntimeEngine(
                EngineSpec(made, info.name, info.dtype, self.graph.embed_dim, self.precision),
                EngineSettings("cpu"),
            )
            torch, inputs = reference(root, info.name), probes(info.name, info.view)
            found = compare(torch, run_engine(engine, inputs, self.graph.embed_dim))
            require_within(f"{info.name} {self.engine}'s graph", found, self.precision, self._allow)
            measured["graph_difference_to_torch"] = found.as_dict()
        return typed, made, measured

    def profiles(self) -> list[dict[str, list[int]]]:
        """One tuned for a single item, one for the most; both take every batch."""
        made = []
        for rows in (1, self.max_batch):
            if self.graph.name == "text":
                shortest, usual, longest = ([n] for n in TEXT_LENGTHS)
            else:
                shortest = usual = longest = list(self.graph.info().view)
            made.append({"min": [1, *shortest], "opt": [rows, *usual], "max": [self.max_batch, *longest]})
        return made

    def _run_worker(self, graph: Path, plan: Path) -> dict[str, Any]:
        request = {
            "module": self.module,
            "graph": str(graph),
            "plan": str(plan),
            "targets": list(self.targets) if self.engine == "tensorrt-rtx" else [],
            "profiles": self.profiles(),
            "timing_cache": self._timing_cache(),
        }
        done = subprocess.run(
            [sys.executable, "-m", "bindrt_export.engines.tensorrt_worker"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        try:
            result: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            result = {"problem": f"the builder ended with status {done.returncode}: {done.stderr[-300:]}"}
        if "problem" in result:
            raise ExportError(
                f"{self.graph.name} {self.engine} {self.precision} {self.target}", result["problem"]
            )
        return result

    def _timing_cache(self) -> str | None:
        """Only TensorRT times kernels while it builds."""
        folder = cache_folder()
        if self.engine == "tensorrt-rtx" or folder is None:
            return None
        return str(folder / "tensorrt" / f"{self.version}-{self.target}.timing")

    def _check(self, plan: Path, linears: set[str]) -> dict[str, int]:
        """Header and products; returns how many products compute in which types."""
        name = f"{self.graph.name} {self.engine}"
        header = read_header(plan)
        if set(header.targets) != set(self.targets):
            raise ExportError(name, f"the plan is for {', '.join(header.targets)}, not {self.target}")
        if header.version != self.version:
            raise ExportError(name, f"the plan is of version {header.version}, not {self.version}")
        found = products(plan)
        least = 4 * self.graph.info().depth
        if (shown := len(known_products(found))) < least:
            raise ExportError(name, f"the plan shows {shown} products with weights, it must have {least}")
        if missing := missing_products(found, linears):
            raise ExportError(name, f"the plan shows no product for {', '.join(sorted(missing)[:5])}")
        if wrong := wrong_products(found, self.precision):
            names = ", ".join(f"{p.name} ({' × '.join(p.kinds)})" for p in wrong[:5])
            raise ExportError(
                name, f"{len(wrong)} of {len(found)} products are not {self.precision}: {names}"
            )
        return summary(found)


def linear_names(graph: Path) -> set[str]:
    """Products with weights, as the typed form names them; a float32 graph has other names."""
    nodes = onnx.load(str(graph), load_external_data=False).graph.node
    return {n.name for n in nodes if n.name.startswith((PLAIN, QUANTIZED))}


def rtx_targets(asked: Sequence[str], precision: str) -> tuple[str, ...]:
    for target in asked:
        if target not in RTX_TARGETS:
            raise OptionError(
                f"--target {target}",
                "TensorRT-RTX does not build for it",
                f"it has {', '.join(RTX_TARGETS)}; for other GPUs use --engine tensorrt on the GPU itself",
            )
        if target in UNABLE[precision]:
            able = ", ".join(t for t in RTX_TARGETS if t not in UNABLE[precision])
            raise OptionError(f"--target {target}", f"it cannot do {precision}", f"{able} can")
    usual = [t for t in DEFAULT_TARGETS if t not in UNABLE[precision]]
    return tuple(t for t in RTX_TARGETS if t in (asked or usual))


def own_target(asked: Sequence[str]) -> tuple[str, ...]:
    """TensorRT times kernels on the GPU that the plan is for."""
    driver = hardware.nvidia_driver()
    if not driver.gpus:
        raise OptionError(
            "--engine tensorrt",
            f"it builds on the GPU that the plan is for ({driver.problem})",
            "build there, or use --engine tensorrt-rtx with --target",
        )
    own = "sm_" + driver.gpus[0].capability.replace(".", "")
    for target in asked:
        if target != own:
            raise OptionError(f"--target {target}", f"this GPU is {own}", "build on a GPU of that kind")
    return (own,)
