"""``submit`` on this GPU, with and without CUDA graphs.

Its vectors must be those of ``embed`` on the same engine. On a simulated device nothing is timed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import bindrt
from bench.gpu.here import announce_gpu
from bench.paths import RESULTS, SIMULATED, slug
from bindrt.benchmark.results import write_json
from bindrt.bundle import open_bundle
from bindrt.engines import ENGINES
from bindrt.modalities import MODALITIES

#: Sums in another order, and another batch size, in half precision.
TOLERANCE = {"fp32": 5e-6}
USUAL_TOLERANCE = 5e-3


def items(modality: str, count: int) -> list[Any]:
    """Ready input of the modality; texts of all lengths."""
    random = np.random.default_rng(7)
    if modality == "text":
        return [f"{'a dog ' * (i % 30)}number {i}" for i in range(count)]
    view = MODALITIES[modality].view
    return [bindrt.Prepared(random.standard_normal(view).astype(np.float32)) for _ in range(count)]


def compare(model: bindrt.Model, modality: str, given: list[Any], timed: bool) -> dict[str, Any]:
    """Submit the items twice: the second time, the CUDA graphs exist."""
    want = model.embed(**{modality: given}, normalize=True)[modality]
    seconds = 0.0
    for _ in range(2):
        start = perf_counter()
        futures: list[Future[Any]] = [model.submit(modality, item) for item in given]
        got = np.stack([future.result(300) for future in futures])
        seconds = perf_counter() - start
    counts = model.stats()[modality]["pipeline"]
    found = {"difference": float(np.abs(got - want).max()), "graphs": counts.get("graphs")}
    return {**found, "items_per_second": len(given) / seconds} if timed else found


def main(arguments: Sequence[str]) -> int:
    """Exit status 0: all vectors agree; 1: some do not, or nothing ran on the GPU; 2: there is no GPU."""
    parser = argparse.ArgumentParser(prog="python -m bench gpu-pipeline", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("precision")
    parser.add_argument("--items", type=int, default=256)
    parser.add_argument(
        "--json", type=Path, metavar="OUT", help="default: bench/results/pipeline-<device>.json"
    )
    args = parser.parse_args(arguments)
    if (here := announce_gpu()) is None:
        return 2
    name, simulated = here
    held = {e.engine for e in open_bundle(args.bundle).manifest.engines if e.precision == args.precision}
    engine = next((k.name for k in ENGINES.values() if k.reads_plans and k.name in held), None)
    if engine is None:
        print(
            f"{args.bundle} has no plans in {args.precision}; bind-export … --engine tensorrt",
            file=sys.stderr,
        )
        return 1
    results, good = [], True
    for graphs in (True, False):
        options = bindrt.PipelineOptions(cuda_graphs=graphs)
        with bindrt.load(args.bundle, engine, args.precision, pipeline=options) as model:
            for modality in (m for m in model.modalities if m != "video"):  # its encoder is that of images
                found = compare(model, modality, items(modality, args.items), not simulated)
                tolerance = TOLERANCE.get(args.precision, USUAL_TOLERANCE)
                fits = found["difference"] <= tolerance and found["graphs"] is not None
                good = good and fits
                results.append({"modality": modality, "cuda_graphs": graphs, "good": fits, **found})
                rate = f"  {found['items_per_second']:9.1f} items/s" if not simulated else ""
                print(f"{modality:<8} graphs {found['graphs']}  difference {found['difference']:.1e}{rate}")
    out = args.json or (SIMULATED if simulated else RESULTS) / f"pipeline-{slug(name)}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    report = {"device": name, "simulated": simulated, "precision": args.precision, "results": results}
    write_json(out, report)
    return 0 if good else 1
