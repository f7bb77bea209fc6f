"""The fastest of several engines, or of several precisions: measured once, and remembered on this machine."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from bindrt import hardware
from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.cache import cache_folder, read_record, write_record
from bindrt.engines import ENGINES, EngineSettings
from bindrt.errors import BundleError, EngineError, Error
from bindrt.numeric import is_number
from bindrt.selection.contest import Contest
from bindrt.selection.opening import files_key

LOG = logging.getLogger(__name__)


def fastest(
    bundle: Bundle, found: Sequence[EngineFiles], settings: EngineSettings
) -> tuple[EngineFiles, str]:
    """The candidate with the shortest time for one item, and why: measured now, or remembered.

    Raises:
        EngineError: none of them runs.
    """
    files, record = known(found, settings) or measured(bundle, found, settings)
    return files, record["why"]


def known(
    found: Sequence[EngineFiles], settings: EngineSettings
) -> tuple[EngineFiles, dict[str, Any]] | None:
    """What was chosen earlier among these, with the record of it; None if nothing was."""
    path = record_path(found, settings)
    record = read_record(path) if path is not None else None
    if record is None:
        return None
    names, seconds = dict(zip(labels(found), found, strict=True)), record.get("seconds")
    files = names.get(chosen := str(record.get("chosen")))
    if files is None or not isinstance(seconds, dict) or not is_number(seconds.get(chosen)):
        return None
    return files, {**record, "why": f"{record.get('why')}, as measured earlier"}


def measured(
    bundle: Bundle, found: Sequence[EngineFiles], settings: EngineSettings
) -> tuple[EngineFiles, dict[str, Any]]:
    """As ``known``, measured now.

    Raises:
        EngineError: none of them runs.
    """
    names = labels(found)
    what = f"{bundle.path.name} {found[0].encoder} {compared(found)}"
    LOG.info("%s: measuring %s, once on this machine", what, ", ".join(names))
    start = perf_counter()
    contest = Contest(bundle, settings)
    for name, files in zip(names, found, strict=True):
        contest.enter(name, files)
    chosen, why = decide(contest.best, contest.seconds, contest.problems)
    LOG.info("%s: %s, since %s; measuring took %.1f s", what, chosen, why, perf_counter() - start)
    for name, problem in contest.problems.items():
        LOG.warning("%s: %s is passed over, it does not run: %s", what, name, in_short(problem))
    record = {
        "bundle": bundle.path.name,
        "encoder": found[0].encoder,
        "precision": compared(found),
        "chosen": chosen,
        "why": why,
        "seconds": contest.seconds,
        "precisions": {name: e.precision for name, e in zip(names, found, strict=True)},
    }
    path = record_path(found, settings)
    if path is None:
        LOG.warning("%s: the choice is not remembered, since the cache folder cannot be written", what)
    else:
        write_record(path, record)
    return found[names.index(chosen)], record


def decide(best: str | None, seconds: dict[str, float], problems: dict[str, Error]) -> tuple[str, str]:
    """The name of the fastest, and the reason in words.

    Raises:
        BundleError: none runs, and the bundle is to blame each time; that of the first.
        EngineError: none runs.
    """
    if best is None:
        if all(isinstance(problem, BundleError) for problem in problems.values()):
            raise next(iter(problems.values()))
        text = "; ".join(f"{name}: {in_short(problem)}" for name, problem in problems.items())
        raise EngineError("engine='auto'", f"none of the engines runs ({text})", "export again")
    times = ", ".join(f"{name} {1e3 * s:.1f} ms" for name, s in seconds.items())
    failed = "".join(f"; {name} does not run: {in_short(problem)}" for name, problem in problems.items())
    return best, f"one item took {times}{failed}"


def in_short(problem: Error) -> str:
    return str(problem)[:300]


def compared(found: Sequence[EngineFiles]) -> str:
    """The precisions among which is chosen."""
    return ", ".join(dict.fromkeys(e.precision for e in found))


def labels(found: Sequence[EngineFiles]) -> list[str]:
    """A name for each: the engine, its target if that is a GPU, and the precision where there are several."""
    several = len({e.precision for e in found}) > 1
    return [
        " ".join((e.engine, *([e.precision] if several else []), *([e.target] if e.target != "cpu" else [])))
        for e in found
    ]


def record_path(found: Sequence[EngineFiles], settings: EngineSettings) -> Path | None:
    """One file for what the answer depends on: the machine, the engines, their files and settings."""
    folder = cache_folder("choices")
    if folder is None:
        return None
    cpu, driver = hardware.cpu(), hardware.nvidia_driver()
    depends = {
        "cpu": [cpu.model, cpu.usable_cores],
        "gpus": [[gpu.name, gpu.memory] for gpu in driver.gpus],
        "engines": [
            [name, ENGINES[e.engine].version(), e.precision, files_key(e)]
            for name, e in zip(labels(found), found, strict=True)
        ],
        "settings": [
            settings.device,
            settings.threads,
            settings.startup,
            repr(sorted(settings.options.items())),
        ],
    }
    key = hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:32]
    return folder / f"{found[0].encoder}-{key}.json"


def remembered() -> Iterator[dict[str, Any]]:
    """Every choice of this user, for ``doctor``.

    Yields:
        ``bundle``, ``encoder``, ``precision`` (those compared), ``chosen``, ``why``, and ``seconds`` by
        precision.
    """
    folder = cache_folder("choices")
    if folder is None:
        return
    for path in sorted(folder.glob("*.json"))[:1000]:
        record = read_record(path)
        keys = ("bundle", "encoder", "precision", "chosen", "why")
        if record is not None and all(isinstance(record.get(key), str) for key in keys):
            yield {key: record[key] for key in keys} | {"seconds": _seconds(record)}


def _seconds(record: dict[str, Any]) -> dict[str, float]:
    """By precision, what one item took in the fastest engine; empty in a record of an earlier version."""
    seconds, precisions = record.get("seconds"), record.get("precisions")
    found: dict[str, float] = {}
    if isinstance(seconds, dict) and isinstance(precisions, dict):
        for name, precision in precisions.items():
            if isinstance(precision, str) and is_number(seconds.get(name)) and seconds[name] > 0:
                found[precision] = min(float(seconds[name]), found.get(precision, float("inf")))
    return found
