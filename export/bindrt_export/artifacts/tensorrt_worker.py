"""``python -m bindrt_export.artifacts.tensorrt_worker``: build one plan, in a process of its own.

Reads a job as JSON from standard input and prints the result as JSON. A process of its own, since
TensorRT's logger is global to a process, its memory is not given back, and a crash must not take the
export along. Works for TensorRT and TensorRT-RTX: their Python API is the same.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from bindrt.cache import keep
from bindrt.engines.tensorrt_releases import release_problem
from bindrt.hardware import peak_memory

#: So many lines of the log are reported.
MOST_LINES = 20


class BuildError(Exception):
    """Its text says what was wrong; the export shows it, and what may be done, if that is known."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.remedy = remedy


def main() -> int:
    job = json.load(sys.stdin)
    # The library may write to standard output; the answer must stand there alone.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        result = build(job)
    except BuildError as failure:
        result = {"problem": str(failure), "remedy": failure.remedy}
    json.dump(result, answer)
    answer.close()
    return 0


#: What TensorRT logs as an error while it tries kernels: one that this GPU or its memory does not suffice for
#: is left out, and another one taken. If none is left, no plan comes out.
HARMLESS = re.compile(
    r"skipping tactic|tactic.*(insufficient memory|memory is insufficient|out ?of ?memory|exception)"
    r"|requested (amount of gpu memory|size was) .*(could not be allocated|bytes)"
    r"|(virtualMemoryBuffer|allocator)\.cpp.*out ?of ?memory|user allocator error",
    re.IGNORECASE,
)


def build(job: dict[str, Any]) -> dict[str, Any]:
    """Build and write the plan.

    An error in the log is a failure, also where a plan comes out, unless it is a harmless one, or contains a
    text of ``job["accepted"]``.
    """
    start = perf_counter()
    trt = importlib.import_module(job["module"])
    if not job["targets"] and (wrong := release_problem(trt.__version__)):
        raise BuildError(wrong)
    errors: list[str] = []
    logger = make_logger(trt, errors)
    builder = trt.Builder(logger)
    network = parse(trt, builder, logger, job["graph"], errors)
    config = configure(trt, builder, job)
    timing = load_timing_cache(config, job)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BuildError("; ".join(errors) or "no plan came out, and the log says nothing")
    unknown = [line for line in errors if not HARMLESS.search(line)]
    if serious := [line for line in unknown if not any(text in line for text in job["accepted"])]:
        raise BuildError(
            "; ".join(serious), "a plan came out: --allow-log TEXT takes it where the lines contain TEXT"
        )
    Path(job["plan"]).write_bytes(plan)
    save_timing_cache(config, timing, job)
    return {
        "version": trt.__version__,
        "seconds": round(perf_counter() - start, 3),
        "peak_rss_bytes": peak_memory(),
        "left_out": [line for line in errors if line not in unknown][:MOST_LINES],
        **({"accepted": unknown[:MOST_LINES]} if unknown else {}),
    }


def make_logger(trt: Any, errors: list[str]) -> Any:
    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                errors.append(" ".join(message.split())[:300])

    return Logger()


def parse(trt: Any, builder: Any, logger: Any, graph: str, errors: list[str]) -> Any:
    """The graph as a strongly typed network: the graph alone says what is computed in which type."""
    # A release in which every network is strongly typed may have no flag for it.
    strongly = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    network = builder.create_network(0 if strongly is None else 1 << int(strongly))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(graph):
        said = [str(parser.get_error(i)) for i in range(parser.num_errors)]
        raise BuildError("; ".join([*said, *errors]) or "the parser refuses the graph")
    return network


def configure(trt: Any, builder: Any, job: dict[str, Any]) -> Any:
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # on by default: float32 products with 10 bits
    if job["targets"]:
        config.num_compute_capabilities = len(job["targets"])  # must come first: it allocates
        for i, target in enumerate(job["targets"]):
            name = target.replace("sm_", "SM")
            if not hasattr(trt.ComputeCapability, name):
                known = [n for n in dir(trt.ComputeCapability) if n.startswith("SM")]
                raise BuildError(f"it cannot build for {target}; its targets are {', '.join(known)}")
            config.set_compute_capability(getattr(trt.ComputeCapability, name), i)
    for profile in job["profiles"]:
        made = builder.create_optimization_profile()
        made.set_shape("input", *(tuple(profile[key]) for key in ("min", "opt", "max")))
        if config.add_optimization_profile(made) < 0:
            raise BuildError(f"the profile {profile} is refused")
    return config


def load_timing_cache(config: Any, job: dict[str, Any]) -> Any:
    """The kernel times of earlier builds on this machine; None where nothing is timed."""
    if not job["timing_cache"]:
        return None
    path = Path(job["timing_cache"])
    known = path.read_bytes() if path.is_file() else b""
    cache = config.create_timing_cache(known) or config.create_timing_cache(b"")
    config.set_timing_cache(cache, ignore_mismatch=False)
    return cache


def save_timing_cache(config: Any, timing: Any, job: dict[str, Any]) -> None:
    if timing is not None:
        keep(Path(job["timing_cache"]), bytes(config.get_timing_cache().serialize()))


if __name__ == "__main__":
    sys.exit(main())
