"""The encoders' roofline on some GPUs, calculated, beside what ``bench/gpu_check.sh`` has measured."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.engines.work import EncoderWork, encoder_work
from bench.gpus import GPUS, Gpu
from bindrt import _core
from bindrt.benchmark.timing import interleaved
from bindrt.bundle import Bundle
from bindrt.engines import ENGINES, EngineSettings
from bindrt.errors import Error
from bindrt.selection import candidates, open_engine

HALF = 2  # bytes
BATCHES = (1, 8, 32)
ROUNDS = 30


def least_seconds(gpu: Gpu, work: EncoderWork, batch: int) -> float:
    """The time to compute in float16 or the time to move the data, whichever is longer."""
    return max(batch * work.operations / gpu.half, work.bytes(batch, HALF) / gpu.bandwidth)


def table(bundle: Bundle, measured: dict[str, dict[str, float]]) -> str:
    """Markdown. ``measured``: device → ``encoder/batch`` → seconds."""
    head = ["encoder", "batch", "GFLOP", "MB", *(f"{gpu.name}, calculated" for gpu in GPUS)]
    head += [f"{name}, measured" for name in measured] or ["measured"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, info in bundle.manifest.encoders.items():
        work = encoder_work(info, bundle.manifest.embed_dim)
        for batch in BATCHES:
            cells = [name, str(batch), f"{batch * work.operations / 1e9:,.0f}"]
            cells.append(f"{work.bytes(batch, HALF) / 1e6:,.0f}")
            cells += [f"{1e3 * least_seconds(gpu, work, batch):.2f} ms" for gpu in GPUS]
            found = [m.get(f"{name}/{batch}") for m in measured.values()] or [None]
            cells += ["" if s is None else f"{1e3 * s:.2f} ms" for s in found]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def measured_in(folder: Path) -> dict[str, dict[str, float]]:
    """The seconds in the results of earlier runs of :func:`measure`."""
    found = {}
    for path in sorted(folder.glob("engines-gpu-*.json")):
        data = json.loads(path.read_text("utf-8"))
        found[str(data["device"])] = {
            key: float(m["seconds"]) for key, m in data["encoders"].items() if "seconds" in m
        }
    return found


def measure(bundle: Bundle, precision: str) -> dict[str, Any]:
    """Time each encoder's best engine on the GPU, from host memory to host memory.

    Nothing is timed on a simulated device: then each encoder is run once only.
    """
    (device, *_) = _core.gpu.devices()
    simulated = _core.gpu.driver()["simulated"]
    results: dict[str, Any] = {}
    for name, info in bundle.manifest.encoders.items():
        try:
            files = candidates(bundle, name, "auto", precision, "cuda")[-1]
            assert ENGINES[files.engine].runs_on("cuda")
            engine = open_engine(bundle, files, EngineSettings("cuda"))
        except Error as error:
            results[name] = {"problem": str(error)}
            continue
        for batch in (b for b in BATCHES if b <= engine.max_batch):
            inputs = np.ones((batch, *info.view), info.dtype)
            out = np.empty((batch, bundle.manifest.embed_dim), np.float32)
            engine.run(inputs, out)
            entry: dict[str, Any] = {"engine": files.engine}
            if not simulated:
                entry["seconds"] = interleaved({"run": partial(engine.run, inputs, out)}, ROUNDS)[
                    "run"
                ].median
            results[f"{name}/{batch}"] = entry
    return {"device": device["name"], "simulated": simulated, "precision": precision, "encoders": results}
