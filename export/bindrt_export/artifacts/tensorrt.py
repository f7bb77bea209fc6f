"""Plans for TensorRT and TensorRT-RTX: from a bundle's graph, built in a process of its own and checked.

A plan of TensorRT-RTX is built ahead of time, without a GPU, for several named targets at once; one of
TensorRT on the GPU that it is for.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx

from bindrt import hardware
from bindrt.cache import cache_folder
from bindrt.engines import ENGINES
from bindrt.engines.batch_sizes import plan_batch
from bindrt.engines.plan import TARGETS, plan_target, read_header
from bindrt.engines.tensorrt import FEW_ROWS
from bindrt.errors import ExportError, OptionError
from bindrt_export.artifacts import tensorrt_worker
from bindrt_export.artifacts.graph import EncoderGraph
from bindrt_export.artifacts.plan_text import (
    known_products,
    missing_products,
    products,
    summary,
    wrong_products,
)
from bindrt_export.artifacts.store import Made, file_entry, fresh
from bindrt_export.precision import FORM_VERSION, narrow_input, write_typed_form
from bindrt_export.precision.calibration import Calibration
from bindrt_export.precision.typed import PLAIN, QUANTIZED
from bindrt_export.progress import Progress
from bindrt_export.request import ENGINE, PRECISION, EngineRequest
from bindrt_export.verification.comparison import compare, open_on_cpu, require_within, run_engine
from bindrt_export.verification.probes import probe_inputs

RTX = "tensorrt-rtx"
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
#: Part of a plan's key; other numbers where the profiles or the types of inputs change.
PROFILES = "profiles-2 inputs-2"
TEXT_LENGTHS = (1, 16, 77)
TIMEOUT = 3600


class PlanRecipe:
    """Builds the plan of one graph."""

    measures: frozenset[str] = frozenset()

    def __init__(
        self,
        graph: EncoderGraph,
        engine: str,
        precision: str,
        targets: Sequence[str],
        calibration: Calibration,
        allow: bool = False,
        allow_log: Sequence[str] = (),
    ) -> None:
        """
        Raises:
            OptionError: the engine is not installed, or a target cannot be built for.
        """
        kind = ENGINES[engine]
        module = kind.module_name()
        if module is None:
            raise OptionError(f"--engine {engine}", "it is not installed", kind.how_to_install())
        self._module = module
        self._version = kind.version()
        self._targets = rtx_targets(targets, precision) if engine == RTX else own_target(targets)
        self._target = plan_target(self._targets)
        self.name = f"{graph.name} {precision} {engine}"
        self.record = f"{graph.name}-{engine}-{precision}"
        self.key = graph.key_for(
            engine,
            self._version,
            precision,
            self._target,
            " ".join([str(FORM_VERSION), PROFILES, calibration.key, *map(repr, allow_log)]),
        )
        self._graph = graph
        self._engine = engine
        self._precision = precision
        self._calibration = calibration
        self._allow = allow
        self._allow_log = tuple(allow_log)
        self._max_batch = plan_batch(graph.name)

    def make(self, root: Path, progress: Progress) -> Made:
        """Build the plan and look at what it says of itself.

        Raises:
            ExportError: TensorRT logged an error, or the plan is not what was asked for.
        """
        progress.stage(self.name, "build")
        folder = root / "engines" / self._engine / self._precision / self._target
        plan = fresh(folder / f"{self._graph.name}.plan")
        with self._typed_graph(folder) as (typed, found):
            linears = linear_names(typed)
            measured = {**found, **self._run_worker(typed, plan)}
        if self._engine == RTX:
            measured["products"] = self._check(plan, linears)
        measured["run"] = "built, not run"
        half = {"input": "float16"} if measured.get("input") == "float16" else {}
        entry = half | {
            "encoder": self._graph.name,
            "engine": self._engine,
            "precision": self._precision,
            "target": self._target,
            "version": measured["version"],
            "min_batch": 1,
            "max_batch": self._max_batch,
            "files": [file_entry(root, plan)],
        }
        return Made(entry, measured)

    def note(self, measured: Mapping[str, Any]) -> str:
        return f"{measured['peak_rss_bytes'] / 1e9:.1f} GB of memory, built, not run"

    @contextmanager
    def _typed_graph(self, folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The graph with its types as asked for, while the plan is built, and how near it is to torch.

        The plan cannot be run here, but ONNX Runtime can compute what its graph says.
        """
        source = self._graph.paths()[0]
        if self._precision == PRECISION:
            yield source, {}
            return
        typed = fresh(folder / f"{self._graph.name}.onnx")
        weights = fresh(typed.with_suffix(".weights"))
        try:
            types = self._calibration.types_for(source, self._graph.encoder, self._precision, fixed=True)
            write_typed_form(source, typed, types)
            measured: dict[str, Any] = {"residual": types.residual, "kept": dict(types.kept)}
            if self._precision != "bf16":  # ONNX Runtime's CPU has no products of bfloat16
                measured["graph_difference_to_torch"] = self._compare([typed, weights])
            if narrow_input(typed):
                measured["input"] = "float16"
            yield typed, measured
        finally:
            typed.unlink(missing_ok=True)
            weights.unlink(missing_ok=True)

    def _compare(self, typed: list[Path]) -> dict[str, float]:
        graph, encoder = self._graph, self._graph.encoder
        engine = open_on_cpu(ENGINE, typed, encoder, graph.embed_dim, self._precision)
        results = run_engine(engine, probe_inputs(encoder.name, encoder.view), graph.embed_dim)
        found = compare(graph.torch_vectors(), results)
        require_within(f"{graph.name} {self._engine}'s graph", found, self._precision, self._allow)
        return found.as_dict()

    def _profiles(self) -> list[dict[str, list[int]]]:
        """One for few items, tuned for a single one; one for every batch, tuned for the most.

        A context of the first needs memory for few rows alone.
        """
        made = []
        for rows, most in ((1, min(FEW_ROWS, self._max_batch)), (self._max_batch, self._max_batch)):
            if self._graph.encoder.dtype == "int64":
                shortest, usual, longest = ([n] for n in TEXT_LENGTHS)
            else:
                shortest = usual = longest = list(self._graph.encoder.view)
            made.append({"min": [1, *shortest], "opt": [rows, *usual], "max": [most, *longest]})
        return made

    def _run_worker(self, graph: Path, plan: Path) -> dict[str, Any]:
        job = {
            "module": self._module,
            "graph": str(graph),
            "plan": str(plan),
            "targets": list(self._targets) if self._engine == RTX else [],
            "profiles": self._profiles(),
            "timing_cache": self._timing_cache(),
            "accepted": self._allow_log,
        }
        done = subprocess.run(
            [sys.executable, "-m", tensorrt_worker.__name__],
            input=json.dumps(job),
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
                f"{self._graph.name} {self._engine} {self._precision} {self._target}",
                result["problem"],
                result.get("remedy", ""),
            )
        return result

    def _timing_cache(self) -> str | None:
        """Only TensorRT times kernels while it builds."""
        folder = cache_folder()
        if self._engine == RTX or folder is None:
            return None
        return str(folder / "tensorrt" / f"{self._version}-{self._target}.timing")

    def _check(self, plan: Path, linears: set[str]) -> dict[str, int]:
        """Header and products; returns how many products compute in which types."""
        name = f"{self._graph.name} {self._engine}"
        header = read_header(plan)
        if set(header.targets) != set(self._targets):
            raise ExportError(name, f"the plan is for {', '.join(header.targets)}, not {self._target}")
        if header.version != self._version:
            raise ExportError(name, f"the plan is of version {header.version}, not {self._version}")
        found = products(plan)
        least = 4 * self._graph.encoder.depth
        if (shown := len(known_products(found))) < least:
            raise ExportError(name, f"the plan shows {shown} products with weights, it must have {least}")
        if missing := missing_products(found, linears):
            raise ExportError(name, f"the plan shows no product for {', '.join(sorted(missing)[:5])}")
        if wrong := wrong_products(found, self._precision):
            names = ", ".join(f"{p.name} ({' × '.join(p.kinds)})" for p in wrong[:5])
            raise ExportError(
                name, f"{len(wrong)} of {len(found)} products are not {self._precision}: {names}"
            )
        return summary(found)


def recipes(
    engine: str, graphs: Sequence[EncoderGraph], request: EngineRequest, calibration: Calibration
) -> list[PlanRecipe]:
    """A recipe for each precision asked for, from the float32 graphs."""
    return [
        PlanRecipe(graph, engine, precision, request.targets, calibration, request.allow, request.allow_log)
        for precision in request.precisions
        for graph in graphs
        if graph.precision == PRECISION
    ]


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
