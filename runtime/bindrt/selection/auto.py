"""``engine="auto"``: measure the engines that could be used, and remember the fastest on this machine.

Only engines of one precision are compared, so the choice never changes what the numbers mean.
"""

from __future__ import annotations

import hashlib
import json
import logging
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from bindrt import hardware
from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EncoderInfo, EngineFiles
from bindrt.cache import cache_folder, read_record, write_record
from bindrt.ending import engine_gate
from bindrt.engines import ENGINES, EngineSettings
from bindrt.errors import EngineError, Error
from bindrt.modalities.steps.constants import TEXT_END, TEXT_START
from bindrt.selection.opening import files_key, open_engine

LOG = logging.getLogger(__name__)

ROUNDS = 5
#: An engine must be so many times as fast as those before it, which start sooner.
GAIN = 1.05
#: Text is measured with a caption of so many tokens, start and end among them.
CAPTION = 10


def fastest(
    bundle: Bundle, found: Sequence[EngineFiles], settings: EngineSettings
) -> tuple[EngineFiles, str]:
    """The candidate with the shortest median time for one item, and why: measured now, or remembered.

    Raises:
        EngineError: none of them runs.
    """
    path = record_path(found, settings)
    record = read_record(path) if path is not None else None
    if record is not None:
        remembered = next((e for e in found if label(e) == record.get("chosen")), None)
        if remembered is not None:
            return remembered, f"{record.get('why')}, as measured earlier"
    what = f"{bundle.path.name} {found[0].encoder} {found[0].precision}"
    LOG.info("%s: measuring %s, once on this machine", what, ", ".join(map(label, found)))
    start = perf_counter()
    measured = {label(e): measure(bundle, e, settings) for e in found}
    chosen, why = decide(measured)
    LOG.info("%s: %s, since %s; measuring took %.1f s", what, chosen, why, perf_counter() - start)
    for name, m in measured.items():
        if "problem" in m:
            LOG.warning("%s: %s is passed over, it does not run: %s", what, name, m["problem"])
    if path is None:
        LOG.warning("%s: the choice is not remembered, since the cache folder cannot be written", what)
    if path is not None:
        write_record(
            path,
            {
                "bundle": bundle.path.name,
                "encoder": found[0].encoder,
                "precision": found[0].precision,
                "chosen": chosen,
                "why": why,
                "measured": measured,
            },
        )
    return next(e for e in found if label(e) == chosen), why


def decide(measured: dict[str, dict[str, Any]]) -> tuple[str, str]:
    """The name of the fastest, and the reason in words, from what ``measure`` found for each."""
    seconds = {name: m["seconds"] for name, m in measured.items() if "seconds" in m}
    if not seconds:
        problems = "; ".join(f"{name}: {m['problem']}" for name, m in measured.items())
        raise EngineError("engine='auto'", f"none of the engines runs ({problems})", "export again")
    names = list(seconds)
    best = names[0]
    for name in names[1:]:
        if seconds[best] > GAIN * seconds[name]:
            best = name
    times = ", ".join(f"{name} {1e3 * s:.1f} ms" for name, s in seconds.items())
    failed = "".join(
        f"; {name} does not run: {m['problem']}" for name, m in measured.items() if "problem" in m
    )
    return best, f"one item took {times}{failed}"


def measure(bundle: Bundle, files: EngineFiles, settings: EngineSettings) -> dict[str, Any]:
    """``{"seconds"}``, or ``{"problem"}`` if it does not run. Only this engine is in memory meanwhile."""
    encoder = bundle.manifest.encoders[files.encoder]
    inputs = one_item(encoder)
    out = np.empty((1, bundle.manifest.embed_dim), np.float32)
    try:
        engine = open_engine(bundle, files, settings)
        with engine_gate:
            engine.run(inputs, out)
        seconds = []
        for _ in range(ROUNDS):
            start = perf_counter()
            with engine_gate:
                engine.run(inputs, out)
            seconds.append(perf_counter() - start)
    except Error as error:
        return {"problem": str(error)[:300]}
    return {"seconds": statistics.median(seconds)}


def one_item(encoder: EncoderInfo) -> np.ndarray:
    if encoder.dtype == "int64":
        return np.array([[TEXT_START, *range(1000, 1000 + CAPTION - 2), TEXT_END]], np.int64)
    return np.full((1, *encoder.view), 0.5, encoder.dtype)


def label(files: EngineFiles) -> str:
    return files.engine if files.target == "cpu" else f"{files.engine} {files.target}"


def record_path(found: Sequence[EngineFiles], settings: EngineSettings) -> Path | None:
    """One file for what the answer depends on: the machine, the engines, their files and settings."""
    folder = cache_folder("choices")
    if folder is None:
        return None
    cpu, driver = hardware.cpu(), hardware.nvidia_driver()
    depends = {
        "cpu": [cpu.model, cpu.usable_cores],
        "gpus": [[gpu.name, gpu.memory] for gpu in driver.gpus],
        "engines": [[label(e), ENGINES[e.engine].version(), files_key(e)] for e in found],
        "settings": [
            settings.device,
            settings.threads,
            settings.startup,
            repr(sorted(settings.options.items())),
        ],
    }
    key = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:32]
    return folder / f"{found[0].encoder}-{key}.json"


def remembered() -> Iterator[dict[str, str]]:
    """Every choice of this user, for ``doctor``: bundle, encoder, precision, chosen, why."""
    folder = cache_folder("choices")
    if folder is None:
        return
    for path in sorted(folder.glob("*.json"))[:1000]:
        record = read_record(path)
        keys = ("bundle", "encoder", "precision", "chosen", "why")
        if record is not None and all(isinstance(record.get(key), str) for key in keys):
            yield {key: record[key] for key in keys}
